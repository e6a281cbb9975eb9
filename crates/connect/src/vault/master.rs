//! The operator's master keys, from `CONNECTION_ENCRYPTION_KEY`.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Secret;

use super::VaultError;
use super::cipher::KeyBytes;

/// One master key. Its id is made from the key, so that two servers agree on it without configuration.
#[derive(Clone)]
pub struct MasterKey {
    id: String,
    key: Secret<KeyBytes>,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl MasterKey {
    pub fn from_bytes(id: &str, key: KeyBytes) -> Self {
        Self { id: id.to_owned(), key: Secret::new(key) }
    }

    /// Reads 32 bytes in base64. The id is the first four bytes of the key's SHA-256 in hexadecimal.
    pub fn parse(text: &Secret) -> Option<Self> {
        let key: KeyBytes = STANDARD.decode(text.expose().trim()).ok()?.try_into().ok()?;
        let fingerprint = digest(&SHA256, &key);
        let id = fingerprint.as_ref()[..4].iter().fold(String::from("k"), |id, byte| format!("{id}{byte:02x}"));
        Some(Self::from_bytes(&id, key))
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &KeyBytes {
        self.key.expose()
    }
}

/// The key that seals, and retired ones that still open.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    current: MasterKey,
    retired: Vec<MasterKey>,
}

impl MasterKeys {
    pub fn new(current: MasterKey, retired: Vec<MasterKey>) -> Self {
        Self { current, retired }
    }

    pub fn current(&self) -> &MasterKey {
        &self.current
    }

    pub(super) fn find(&self, id: &str) -> Result<&MasterKey, VaultError> {
        std::iter::once(&self.current).chain(&self.retired).find(|key| key.id == id).ok_or(VaultError::UnknownKey)
    }
}
