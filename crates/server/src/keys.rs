//! The master key: from the environment, or generated into the data folder when the database is embedded.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect::vault::{MasterKey, MasterKeys};
use domain::{IdSource, Secret};

const FILE: &str = "connection-encryption.key";

/// The key of this server.
///
/// # Errors
/// With PostgreSQL and without `CONNECTION_ENCRYPTION_KEY`: a generated key would differ between nodes.
pub(crate) fn master_keys(given: Option<&Secret>, data_dir: &Path, embedded: bool, ids: &dyn IdSource) -> anyhow::Result<MasterKeys> {
    let path = data_dir.join(FILE);
    match given {
        Some(text) => parse(text, None),
        None if embedded => parse(&generated(&path, ids)?, Some(&path)),
        None => bail!("CONNECTION_ENCRYPTION_KEY is required with PostgreSQL: 32 random bytes in base64, the same on every node"),
    }
}

/// The key as it is at hand; none is made. `None`: there is none.
pub(crate) fn known_master_keys(given: Option<&Secret>, data_dir: &Path) -> anyhow::Result<Option<MasterKeys>> {
    let path = data_dir.join(FILE);
    match given {
        Some(text) => parse(text, None).map(Some),
        None => kept(&path)?.map(|text| parse(&text, Some(&path))).transpose(),
    }
}

/// `file`: where the text stands; otherwise it is the variable's.
fn parse(text: &Secret, file: Option<&Path>) -> anyhow::Result<MasterKeys> {
    let key = MasterKey::parse(text).with_context(|| match file {
        Some(file) => {
            format!("{} must hold 32 bytes in base64; restore it from a backup, or remove it if nothing was ever sealed", file.display())
        }
        None => "CONNECTION_ENCRYPTION_KEY must be 32 bytes in base64".to_owned(),
    })?;
    Ok(MasterKeys::new(key, Vec::new()))
}

/// Reads the key file, or makes it. Two servers that start at once on one folder end with the same key.
///
/// It appears whole, under its name, or not at all: it is written and synced under another one and then linked into place, which fails
/// where another server was faster. A crash in between leaves nothing that would be read as a key.
fn generated(path: &Path, ids: &dyn IdSource) -> anyhow::Result<Secret> {
    if let Some(text) = kept(path)? {
        return Ok(text);
    }
    let mut key = [0; 32];
    ids.fill(&mut key);
    let text = STANDARD.encode(key);
    let draft = path.with_extension(format!("key.{}", ids.uuid().simple()));
    let made = write(&draft, &text).and_then(|()| fs::hard_link(&draft, path));
    // What is left behind by a crash is a key that was never used.
    fs::remove_file(&draft).ok();
    match made {
        Ok(()) => {
            let folder = path.parent().unwrap_or(Path::new("."));
            File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("could not sync {}", folder.display()))?;
            Ok(Secret::new(text))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => kept(path)?.with_context(|| format!("{} was removed", path.display())),
        Err(error) => Err(error).with_context(|| format!("could not write {}", path.display())),
    }
}

/// The key in the file. `None`: there is no file.
fn kept(path: &Path) -> anyhow::Result<Option<Secret>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use domain::RandomIds;

    use super::*;

    #[test]
    fn a_generated_key_is_kept_and_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let first = master_keys(None, folder.path(), true, &RandomIds).expect("makes a key");
        let second = master_keys(None, folder.path(), true, &RandomIds).expect("finds the key");
        assert_eq!(first.current().id(), second.current().id());
        let mode = fs::metadata(folder.path().join(FILE)).expect("exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn postgresql_demands_a_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = master_keys(None, folder.path(), false, &RandomIds).expect_err("refused");
        assert!(error.to_string().contains("CONNECTION_ENCRYPTION_KEY"));
    }

    #[test]
    fn many_first_starts_at_once_end_with_one_key_and_no_drafts() {
        let folder = tempfile::tempdir().expect("a folder");
        let starts: Vec<_> = std::thread::scope(|scope| {
            let start = || master_keys(None, folder.path(), true, &RandomIds).expect("a key").current().id().to_owned();
            let starts: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().expect("ends")).collect()
        });
        assert!(starts.windows(2).all(|pair| pair[0] == pair[1]), "{starts:?}");
        let files: Vec<_> = fs::read_dir(folder.path()).expect("reads").map(|file| file.expect("reads").file_name()).collect();
        assert_eq!(files, [FILE]);
    }

    #[test]
    fn a_file_that_holds_no_key_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), "").expect("writes");
        let made = master_keys(None, folder.path(), true, &RandomIds).expect_err("refused").to_string();
        let known = known_master_keys(None, folder.path()).expect_err("refused").to_string();
        assert!(made.contains(FILE) && known.contains(FILE), "{made}; {known}");
    }
}
