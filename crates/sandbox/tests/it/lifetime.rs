//! Every end of a sandbox takes all of it along.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use sandbox::{ExitCause, NamespaceSandbox, Sandbox, SandboxError, SandboxSpec, ToolhostImage, UidRange};

use crate::support::{
    Kind, Probe, Running, Worker, as_ordinary_user, cgroups_of, image, limits, public_binary, running_as_root, sandbox, tree,
    wait_until_gone,
};

/// Starts processes that ignore what they can and leave every session and group.
fn dig_in<W: std::io::Write, R: std::io::Read>(probe: &mut Probe<W, R>) {
    let stubborn = "trap '' TERM HUP INT; sleep 1000";
    let answer = probe.shell(&format!("for i in 1 2 3; do setsid sh -c \"{stubborn}\" </dev/null >/dev/null 2>&1 & done; echo dug in"));
    assert_eq!(answer, "dug in");
}

fn assert_nothing_left(processes: &[u32], guard: u32) {
    for process in processes {
        wait_until_gone(*process);
    }
    assert!(tree(guard).is_empty());
    assert_eq!(cgroups_of(guard), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_kill_ends_the_whole_tree() {
    let mut running = Running::start(&sandbox(), "run_kill").await;
    dig_in(&mut running.probe);
    let guard = running.handle.guard().unwrap();
    let processes = tree(guard);
    assert!(processes.len() >= 6, "guard, init, tool host and three that dug in: {processes:?}");
    running.handle.kill();
    running.handle.kill();
    assert_eq!(running.handle.wait().await.cause, ExitCause::Killed);
    assert_eq!(running.handle.wait().await.cause, ExitCause::Killed, "it can be asked again");
    assert!(running.probe.wait_for_end());
    assert_nothing_left(&processes, guard);
}

#[tokio::test]
async fn dropping_the_handle_ends_the_whole_tree() {
    let Running { mut probe, handle, .. } = Running::start(&sandbox(), "run_drop").await;
    dig_in(&mut probe);
    let guard = handle.guard().unwrap();
    let processes = tree(guard);
    drop(handle);
    tokio::task::spawn_blocking(move || assert_nothing_left(&processes, guard)).await.unwrap();
}

#[tokio::test]
async fn a_timeout_is_a_wait_that_was_given_up_and_then_a_kill() {
    let mut running = Running::start(&sandbox(), "run_timeout").await;
    running.probe.send("sh sleep 1000");
    let guard = running.handle.guard().unwrap();
    let processes = tree(guard);
    assert!(tokio::time::timeout(Duration::from_millis(20), running.handle.wait()).await.is_err(), "nothing ends by itself");
    running.handle.kill();
    assert_eq!(running.handle.wait().await.cause, ExitCause::Killed);
    assert_nothing_left(&processes, guard);
}

fn killing_the_worker_ends_the_whole_tree(kind: Kind) {
    let mut worker = Worker::start(kind);
    dig_in(&mut worker.probe);
    let processes = tree(worker.guard);
    assert!(processes.len() >= 6, "{processes:?}");
    worker.kill();
    assert_nothing_left(&processes, worker.guard);
}

#[test]
fn a_worker_killed_with_sigkill_leaves_nothing() {
    killing_the_worker_ends_the_whole_tree(Kind::AsIs);
}

#[test]
fn an_ordinary_worker_killed_with_sigkill_leaves_nothing() {
    killing_the_worker_ends_the_whole_tree(Kind::Ordinary);
}

#[tokio::test]
async fn a_guard_killed_with_sigkill_leaves_nothing() {
    let mut running = Running::start(&sandbox(), "run_guard").await;
    dig_in(&mut running.probe);
    let guard = running.handle.guard().unwrap();
    let processes = tree(guard);
    let pid = nix::unistd::Pid::from_raw(i32::try_from(guard).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_eq!(running.handle.wait().await.cause, ExitCause::Lost);
    tokio::task::spawn_blocking(move || assert_nothing_left(&processes, guard)).await.unwrap();
}

#[tokio::test]
async fn the_end_of_the_tool_host_is_reported_as_it_was() {
    let sandbox = sandbox();
    let endings = [
        ("exit 7", ExitCause::Finished { code: 7 }),
        ("abort", ExitCause::Signaled { signal: 6 }),
        // A shell that kills its parent.
        ("sh kill -9 $PPID", ExitCause::Signaled { signal: 9 }),
    ];
    for (request, cause) in endings {
        let mut running = Running::start(&sandbox, "run_end").await;
        dig_in(&mut running.probe);
        let guard = running.handle.guard().unwrap();
        let processes = tree(guard);
        running.probe.send(request);
        let exit = running.handle.wait().await;
        assert_eq!((exit.cause, exit.memory_kills), (cause, 0), "{request}");
        assert!(running.probe.wait_for_end());
        assert_nothing_left(&processes, guard);
    }
}

#[tokio::test]
async fn as_root_every_run_is_another_user_and_none_is_root() {
    let sandbox = sandbox();
    let (first, second) = tokio::join!(Running::start(&sandbox, "run_one"), Running::start(&sandbox, "run_two"));
    let uid = |process: u32| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap().to_owned();
        let mut ids: Vec<u32> = line.split_whitespace().map(|id| id.parse().unwrap()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "real, effective, saved and file system uid are one");
        ids[0]
    };
    let users: Vec<Vec<u32>> = [&first, &second]
        .map(|running| {
            let guard = running.handle.guard().unwrap();
            let mut users: Vec<u32> = tree(guard).into_iter().filter(|process| *process != guard).map(uid).collect();
            users.dedup();
            users
        })
        .to_vec();
    assert_eq!((users[0].len(), users[1].len()), (1, 1), "{users:?}");
    if running_as_root() {
        assert!(users.iter().flatten().all(|uid| (200_000..265_536).contains(uid)), "{users:?}");
        assert_ne!(users[0], users[1]);
    } else {
        assert_eq!(users[0], [nix::unistd::geteuid().as_raw()]);
    }
}

#[tokio::test]
async fn a_probe_builds_a_whole_sandbox() {
    let report = sandbox().probe().await.expect("this machine can");
    println!("{report:?}");
    assert_eq!(report.rung, "namespace");
}

#[tokio::test]
async fn a_binary_that_is_no_tool_host_is_unavailable() {
    let image = Arc::new(ToolhostImage::open(Path::new("/bin/true")).unwrap());
    let sandbox = NamespaceSandbox::new(image, UidRange::default());
    let unavailable = sandbox.probe().await.expect_err("true is no launcher");
    assert_eq!(unavailable.what, "the launcher ended before the tool host stood");
}

#[tokio::test]
async fn names_that_could_leave_their_place_are_refused() {
    let sandbox = sandbox();
    for name in ["", "../up", "a/b", "a b", &"x".repeat(65)] {
        let refused = sandbox.start(SandboxSpec::new(name, limits(), image())).await;
        assert!(matches!(refused, Err(SandboxError::Name(_))), "{name:?}");
    }
    let mut spec = SandboxSpec::new("run_hosts", limits(), image());
    spec.host_names = vec!["side car\n10.0.0.1 google.com".to_owned()];
    assert!(matches!(sandbox.start(spec).await, Err(SandboxError::HostName(_))));
}

/// What a worker that finds the rung unavailable says on standard error.
fn complaint(mut command: Command) -> String {
    let output = command.output().expect("unshare runs");
    assert!(!output.status.success(), "the worker should have found the rung unavailable");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn where_the_kernel_gives_no_user_namespace_the_probe_says_which_setting() {
    let (_directory, binary) = public_binary();
    let mut command = as_ordinary_user("unshare");
    // The setting belongs to a user namespace; this one is ours alone.
    command.args(["--user", "--map-current-user", "--keep-caps", "sh", "-c"]);
    command.arg("echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" worker").arg(binary);
    let said = complaint(command);
    assert!(said.contains("could not create the namespaces"), "{said}");
    assert!(said.contains("sysctl -w user.max_user_namespaces="), "{said}");
}

#[test]
fn where_the_uids_are_not_mapped_the_probe_says_so() {
    let mut command = Command::new("unshare");
    // Root of a namespace that maps no other uid, as in some rootless containers.
    command.args(["--user", "--map-root-user", env!("CARGO_BIN_EXE_sandbox-probe"), "worker"]);
    let said = complaint(command);
    assert!(said.contains("could not map the user of the sandbox"), "{said}");
    assert!(said.contains("/proc/self/uid_map"), "{said}");
}
