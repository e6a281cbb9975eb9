//! The vault of a running server: finds or makes each owner's data key, seals and opens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use domain::Secret;
use store::{DataKeyOwner, KeyCheck, NewDataKey, SealError, Sealer, Store, StoreError};

use super::{DataKey, MasterKeys, Place, SealedDataKey, VaultError, data_key_of, key_check, passes_key_check};

/// Data keys kept open in memory. Beyond it all are forgotten and opened again as needed.
const MOST_OPEN_KEYS: usize = 10_000;

/// Seals and opens credentials. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vault {
    store: Store,
    masters: Arc<MasterKeys>,
    open: Arc<Mutex<HashMap<String, DataKey>>>,
}

/// What can go wrong around the vault.
#[derive(Debug, thiserror::Error)]
pub enum VaultServiceError {
    #[error("the vault refused")]
    Vault(#[from] VaultError),
    #[error("the store refused")]
    Store(#[from] StoreError),
    /// The owner was deleted, and its key with it.
    #[error("the data key is gone with its owner")]
    Gone,
    #[error("this database was sealed with another CONNECTION_ENCRYPTION_KEY")]
    WrongMasterKey,
}

impl Vault {
    /// Opens the vault of a database, after checking that this server has its master key.
    ///
    /// # Errors
    /// [`VaultServiceError::WrongMasterKey`] stops a node that would seal what others cannot open.
    pub async fn open(store: Store, masters: MasterKeys) -> Result<Self, VaultServiceError> {
        let checks = store.system().key_checks().await?;
        let known =
            checks.iter().any(|check| std::str::from_utf8(&check.sealed).is_ok_and(|text| passes_key_check(&masters, text).is_ok()));
        if !known && !checks.is_empty() {
            return Err(VaultServiceError::WrongMasterKey);
        }
        let current = masters.current().id().to_owned();
        if !checks.iter().any(|check| check.master_key == current) {
            store.system().put_key_check(KeyCheck { master_key: current, sealed: key_check(&masters)?.into_bytes() }).await?;
        }
        Ok(Self { store, masters: Arc::new(masters), open: Arc::default() })
    }

    /// Seals `plain` for one place. Call it before a write is opened: the first seal of an owner makes its key.
    pub async fn seal(&self, owner: &DataKeyOwner, place: Where<'_>, plain: &[u8]) -> Result<Vec<u8>, VaultServiceError> {
        let holder = owner.id();
        let key = self.key_of(owner).await?;
        Ok(key.seal(place.of(&holder), plain)?.into_bytes())
    }

    /// Opens what was sealed for this owner and place.
    pub async fn unseal(&self, owner: &DataKeyOwner, place: Where<'_>, sealed: &[u8]) -> Result<Secret<Vec<u8>>, VaultServiceError> {
        let holder = owner.id();
        let text = std::str::from_utf8(sealed).map_err(|_| VaultError::Malformed)?;
        let id = data_key_of(text)?;
        let key = if let Some(key) = self.cached(id) {
            key
        } else {
            let stored = self.store.system().data_key_by_id(id).await?.ok_or(VaultServiceError::Gone)?;
            self.remember(&stored, &holder)?
        };
        Ok(key.open_value(place.of(&holder), text)?)
    }

    async fn key_of(&self, owner: &DataKeyOwner) -> Result<DataKey, VaultServiceError> {
        let holder = owner.id();
        let stored = if let Some(stored) = self.store.system().data_key(owner).await? {
            stored
        } else {
            let id = format!("dek_{}", self.store.ids().uuid().simple());
            let (_, new) = DataKey::create(&id, &holder, &self.masters, self.store.ids())?;
            let new = NewDataKey { id, master_key: self.masters.current().id().to_owned(), sealed: new.sealed.into_bytes() };
            self.store.system().ensure_data_key(owner, new).await?
        };
        match self.cached(&stored.id) {
            Some(key) => Ok(key),
            None => self.remember(&stored, &holder),
        }
    }

    fn cached(&self, id: &str) -> Option<DataKey> {
        self.open.lock().expect("nothing panics while it holds the keys").get(id).cloned()
    }

    fn remember(&self, stored: &store::DataKey, owner: &str) -> Result<DataKey, VaultServiceError> {
        let sealed = String::from_utf8(stored.sealed.clone()).map_err(|_| VaultError::Malformed)?;
        let key = DataKey::open(&SealedDataKey { id: stored.id.clone(), owner: owner.to_owned(), sealed }, &self.masters)?;
        let mut open = self.open.lock().expect("nothing panics while it holds the keys");
        if open.len() >= MOST_OPEN_KEYS {
            open.clear();
        }
        open.insert(stored.id.clone(), key.clone());
        Ok(key)
    }
}

/// Table, column and row of a sealed value; the owner comes with the key.
#[derive(Clone, Copy, Debug)]
pub struct Where<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub row: &'a str,
}

impl<'a> Where<'a> {
    fn of(self, owner: &'a str) -> Place<'a> {
        Place { table: self.table, column: self.column, row: self.row, owner }
    }
}

/// Seals the bodies of idempotency records, directly under the master key: they live for a day and have no owner that outlives them.
#[derive(Debug)]
pub struct SealWithMaster {
    masters: MasterKeys,
}

impl SealWithMaster {
    pub fn new(masters: MasterKeys) -> Self {
        Self { masters }
    }
}

impl Sealer for SealWithMaster {
    fn seal(&self, plain: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError> {
        super::seal_with_master(&self.masters, associated, plain).map_err(|error| SealError(error.to_string()))
    }

    fn open(&self, sealed: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError> {
        super::open_with_master(&self.masters, associated, sealed).map_err(|error| SealError(error.to_string()))
    }
}
