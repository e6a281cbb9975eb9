//! The master key: from the environment, or generated into the data folder when the database is embedded.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect::vault::{MasterKey, MasterKeys};
use domain::{IdSource, Secret};

const FILE: &str = "connection-encryption.key";

const FORM: &str = "CONNECTION_ENCRYPTION_KEY must be 32 bytes in base64";

/// The key of this server.
///
/// # Errors
/// With PostgreSQL and without `CONNECTION_ENCRYPTION_KEY`: a generated key would differ between nodes.
pub(crate) fn master_keys(given: Option<&Secret>, data_dir: &Path, embedded: bool, ids: &dyn IdSource) -> anyhow::Result<MasterKeys> {
    let text = match given {
        Some(text) => text.clone(),
        None if embedded => generated(&data_dir.join(FILE), ids)?,
        None => bail!("CONNECTION_ENCRYPTION_KEY is required with PostgreSQL: 32 random bytes in base64, the same on every node"),
    };
    let key = MasterKey::parse(&text).context(FORM)?;
    Ok(MasterKeys::new(key, Vec::new()))
}

/// The key as it is at hand; none is made. `None`: there is none.
pub(crate) fn known_master_keys(given: Option<&Secret>, data_dir: &Path) -> anyhow::Result<Option<MasterKeys>> {
    let path = data_dir.join(FILE);
    let text = match given {
        Some(text) => text.clone(),
        None => match fs::read_to_string(&path) {
            Ok(text) => Secret::new(text),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("could not read {}", path.display())),
        },
    };
    Ok(Some(MasterKeys::new(MasterKey::parse(&text).context(FORM)?, Vec::new())))
}

/// Reads the key file, or makes it. Two servers that start at once on one folder end with the same key.
fn generated(path: &Path, ids: &dyn IdSource) -> anyhow::Result<Secret> {
    match fs::read_to_string(path) {
        Ok(text) => return Ok(Secret::new(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("could not read {}", path.display())),
    }
    let mut key = [0; 32];
    ids.fill(&mut key);
    let text = STANDARD.encode(key);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
                .with_context(|| format!("could not write {}", path.display()))?;
            Ok(Secret::new(text))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Secret::new(fs::read_to_string(path)?)),
        Err(error) => Err(error).with_context(|| format!("could not create {}", path.display())),
    }
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
}
