//! A real process in the place of a sidecar.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use runs::{Launcher, Pool};

use crate::world::soon;

/// A program that says it is ready (a frame of 16 bytes on its first descriptor) unless it finds an environment, and then reads.
fn program(folder: &Path, before: &str) -> std::path::PathBuf {
    let path = folder.join("server");
    let script = format!(
        "#!/bin/sh\n[ -z \"$HOME$USER$CARGO_MANIFEST_DIR\" ] || exit 3\n[ \"$1\" = sidecar ] || exit 4\n{before}\nprintf '\\000\\000\\000\\020{{\"type\":\"ready\"}}' >&0\nread -r line\n"
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn a_process_starts_without_environment_and_dies_with_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let program = program(folder.path(), &format!("echo $$ > {}", pid_file.display()));
    let pool = Pool::new(Arc::new(Launcher::new(program, "info")), 0);
    let sidecar = soon(pool.take()).await.unwrap();
    let pid: i32 = fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    let process = Path::new("/proc").join(pid.to_string());
    assert!(process.exists());
    drop(sidecar);
    soon(async {
        while process.exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_program_that_does_not_become_ready_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let pool = Pool::new(Arc::new(Launcher::new(program(folder.path(), "exit 0"), "info")), 0);
    let error = soon(pool.take()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    let absent = Pool::new(Arc::new(Launcher::new(folder.path().join("absent"), "info")), 0);
    assert_eq!(soon(absent.take()).await.unwrap_err().kind(), std::io::ErrorKind::NotFound);
}
