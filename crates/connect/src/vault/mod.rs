//! Credentials at rest: `v1:<master key id>:<data key id>:<base64>`, AES-256-GCM.
//!
//! Each organization, application and end-user has a data key of its own, sealed under the operator's master key, so that
//! deleting an owner's data key makes everything sealed under it unreadable, and rotating the master key re-seals only data keys.
//! The associated data names table, column, row and owner: a sealed value copied to another row does not open.

mod cipher;
mod master;
mod service;

use std::fmt;

use domain::{IdSource, Secret};

pub use master::{MasterKey, MasterKeys};
pub use service::{SealWithMaster, Vault, VaultServiceError, Where};

/// Why a value could not be sealed or opened. Never holds any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("the sealed value is malformed")]
    Malformed,
    #[error("the value was sealed under a master key that this server does not have")]
    UnknownKey,
    #[error("the value does not open here: wrong key, wrong row, or changed bytes")]
    Refused,
    #[error("the cipher failed")]
    Cipher,
}

/// Where a sealed value lives. Part of what the cipher authenticates.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub row: &'a str,
    /// The owner's id: organization, application or end-user.
    pub owner: &'a str,
}

impl Place<'_> {
    /// Unambiguous: each part is preceded by its length.
    fn associated_data(&self) -> Vec<u8> {
        let mut data = b"appstrate:v1".to_vec();
        for part in [self.table, self.column, self.row, self.owner] {
            data.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// An owner's data key, open.
#[derive(Clone)]
pub struct DataKey {
    id: String,
    master: String,
    key: Secret<Vec<u8>>,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A data key as it is stored: sealed under a master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedDataKey {
    pub id: String,
    pub owner: String,
    /// `v1:<master key id>:<base64>`.
    pub sealed: String,
}

impl DataKey {
    /// A fresh key for `owner`, open and sealed.
    pub fn create(id: &str, owner: &str, masters: &MasterKeys, ids: &dyn IdSource) -> Result<(Self, SealedDataKey), VaultError> {
        let mut key = vec![0; 32];
        ids.fill(&mut key);
        let master = masters.current();
        let sealed = cipher::seal(master.bytes(), key_place(id, owner).associated_data().as_slice(), &key)?;
        let stored =
            SealedDataKey { id: id.to_owned(), owner: owner.to_owned(), sealed: format!("v1:{}:{}", master.id(), cipher::encode(&sealed)) };
        Ok((Self { id: id.to_owned(), master: master.id().to_owned(), key: Secret::new(key) }, stored))
    }

    /// Opens a stored data key.
    pub fn open(stored: &SealedDataKey, masters: &MasterKeys) -> Result<Self, VaultError> {
        let (master, body) = stored.sealed.strip_prefix("v1:").and_then(|rest| rest.split_once(':')).ok_or(VaultError::Malformed)?;
        let place = key_place(&stored.id, &stored.owner).associated_data();
        let key = cipher::open(masters.find(master)?.bytes(), &place, &cipher::decode(body)?)?;
        if key.expose().len() != 32 {
            return Err(VaultError::Malformed);
        }
        Ok(Self { id: stored.id.clone(), master: master.to_owned(), key })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    fn bytes(&self) -> cipher::KeyBytes {
        self.key.expose().as_slice().try_into().expect("a data key has 32 bytes: checked on creation and opening")
    }

    /// Seals `plain` for one place.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<String, VaultError> {
        let sealed = cipher::seal(&self.bytes(), &place.associated_data(), plain)?;
        Ok(format!("v1:{}:{}:{}", self.master, self.id, cipher::encode(&sealed)))
    }

    /// Opens a value that this key sealed for this place.
    pub fn open_value(&self, place: Place<'_>, sealed: &str) -> Result<Secret<Vec<u8>>, VaultError> {
        let mut parts = sealed.splitn(4, ':');
        let (Some("v1"), Some(_), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(VaultError::Malformed);
        };
        if id != self.id {
            return Err(VaultError::Refused);
        }
        cipher::open(&self.bytes(), &place.associated_data(), &cipher::decode(body)?)
    }
}

/// The data key id that a sealed value names.
pub fn data_key_of(sealed: &str) -> Result<&str, VaultError> {
    let mut parts = sealed.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("v1"), Some(_), Some(id), Some(_)) => Ok(id),
        _ => Err(VaultError::Malformed),
    }
}

fn key_place<'a>(id: &'a str, owner: &'a str) -> Place<'a> {
    Place { table: "data_keys", column: "sealed", row: id, owner }
}

/// The text that `key_check` keeps: opens only with the same master key.
pub fn key_check(masters: &MasterKeys) -> Result<String, VaultError> {
    let master = masters.current();
    let sealed = cipher::seal(master.bytes(), b"key_check", b"appstrate")?;
    Ok(format!("v1:{}:{}", master.id(), cipher::encode(&sealed)))
}

/// Whether this server has the master key that made `check`.
pub fn passes_key_check(masters: &MasterKeys, check: &str) -> Result<(), VaultError> {
    let (master, body) = check.strip_prefix("v1:").and_then(|rest| rest.split_once(':')).ok_or(VaultError::Malformed)?;
    cipher::open(masters.find(master)?.bytes(), b"key_check", &cipher::decode(body)?).map(|_| ())
}

/// Seals directly under the master key: `v1:<master key id>:<base64>`.
fn seal_with_master(masters: &MasterKeys, associated: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let master = masters.current();
    let sealed = cipher::seal(master.bytes(), associated, plain)?;
    Ok(format!("v1:{}:{}", master.id(), cipher::encode(&sealed)).into_bytes())
}

/// Opens what [`seal_with_master`] made.
fn open_with_master(masters: &MasterKeys, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let text = std::str::from_utf8(sealed).map_err(|_| VaultError::Malformed)?;
    let (master, body) = text.strip_prefix("v1:").and_then(|rest| rest.split_once(':')).ok_or(VaultError::Malformed)?;
    Ok(cipher::open(masters.find(master)?.bytes(), associated, &cipher::decode(body)?)?.expose().clone())
}

#[cfg(test)]
mod tests {
    use domain::RandomIds;

    use super::*;

    const PLACE: Place<'_> = Place { table: "connections", column: "credentials", row: "conn_1", owner: "eu_1" };

    fn masters(id: &str, byte: u8) -> MasterKeys {
        MasterKeys::new(MasterKey::from_bytes(id, [byte; 32]), Vec::new())
    }

    #[test]
    fn a_value_opens_only_in_its_own_row_under_its_own_key() {
        let masters = masters("k1", 7);
        let (key, stored) = DataKey::create("dek1", "eu_1", &masters, &RandomIds).expect("creates");
        let sealed = key.seal(PLACE, b"canary").expect("seals");
        assert!(sealed.starts_with("v1:k1:dek1:"));
        assert!(!sealed.contains("canary"));

        let reopened = DataKey::open(&stored, &masters).expect("opens");
        assert_eq!(reopened.open_value(PLACE, &sealed).expect("opens").expose(), b"canary");
        for other in [
            Place { row: "conn_2", ..PLACE },
            Place { owner: "eu_2", ..PLACE },
            Place { column: "x", ..PLACE },
            Place { table: "x", ..PLACE },
        ] {
            assert_eq!(key.open_value(other, &sealed).expect_err("refused"), VaultError::Refused);
        }
        let (foreign, _) = DataKey::create("dek1", "eu_1", &masters, &RandomIds).expect("creates");
        assert_eq!(foreign.open_value(PLACE, &sealed).expect_err("refused"), VaultError::Refused);
    }

    #[test]
    fn a_retired_master_key_still_opens_and_an_unknown_one_does_not() {
        let (_, stored) = DataKey::create("dek1", "org_1", &masters("old", 1), &RandomIds).expect("creates");
        let rotated = MasterKeys::new(MasterKey::from_bytes("new", [2; 32]), vec![MasterKey::from_bytes("old", [1; 32])]);
        assert!(DataKey::open(&stored, &rotated).is_ok());
        assert_eq!(DataKey::open(&stored, &masters("new", 2)).expect_err("unknown"), VaultError::UnknownKey);
    }

    #[test]
    fn another_key_under_the_same_name_fails_the_check() {
        let check = key_check(&masters("k1", 7)).expect("makes");
        assert_eq!(passes_key_check(&masters("k1", 7), &check), Ok(()));
        assert_eq!(passes_key_check(&masters("k1", 8), &check), Err(VaultError::Refused));
    }
}
