//! Bytes too large for a row, kept under the SHA-256 of their content.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};

use crate::StoreError;

/// The name of a blob: the SHA-256 of its bytes, 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlobKey([u8; 32]);

impl BlobKey {
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The SHA-256 itself.
    pub fn digest(&self) -> &[u8; 32] {
        &self.0
    }

    fn path(self) -> object_store::path::Path {
        let name = self.to_string();
        // Two levels, so that no folder grows without end.
        object_store::path::Path::from(format!("sha256/{}/{name}", &name[..2]))
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BlobKey {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map_err(|_| StoreError::Corrupt { what: "a blob key" })?;
        Ok(Self(digest))
    }
}

/// Where blobs are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
}

impl Blobs {
    /// Keeps blobs in a folder, which is made if it does not exist.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|source| StoreError::Blob(Arc::new(source)))?;
        Ok(Self { store: Arc::new(store) })
    }

    /// Keeps the bytes and names them. The same bytes are kept once; safe to repeat and to race.
    pub async fn put(&self, bytes: Bytes) -> Result<BlobKey, StoreError> {
        let key = BlobKey::of(&bytes);
        match self.store.head(&key.path()).await {
            Ok(_) => Ok(key),
            Err(object_store::Error::NotFound { .. }) => {
                self.store.put(&key.path(), bytes.into()).await.map_err(|source| StoreError::Blob(Arc::new(source)))?;
                Ok(key)
            }
            Err(source) => Err(StoreError::Blob(Arc::new(source))),
        }
    }

    /// The bytes of a blob. `None`: there is no such blob.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the bytes no longer have the name's checksum.
    pub async fn get(&self, key: BlobKey) -> Result<Option<Bytes>, StoreError> {
        let found = match self.store.get(&key.path()).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(source) => return Err(StoreError::Blob(Arc::new(source))),
        };
        let bytes = found.bytes().await.map_err(|source| StoreError::Blob(Arc::new(source)))?;
        if BlobKey::of(&bytes) != key {
            return Err(StoreError::Corrupt { what: "a blob" });
        }
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_come_back_under_their_checksum_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let key = blobs.put(Bytes::from_static(b"hello")).await.unwrap();
        assert_eq!(key.to_string(), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        assert_eq!(blobs.put(Bytes::from_static(b"hello")).await.unwrap(), key);
        assert_eq!(blobs.get(key).await.unwrap().as_deref(), Some(&b"hello"[..]));
        assert_eq!(blobs.get(BlobKey::of(b"absent")).await.unwrap(), None);

        std::fs::write(folder.path().join(key.path().as_ref()), b"hullo").unwrap();
        assert!(matches!(blobs.get(key).await, Err(StoreError::Corrupt { .. })));
    }
}
