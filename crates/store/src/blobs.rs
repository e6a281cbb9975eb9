//! Bytes too large for a row, kept under the SHA-256 of their content.
//!
//! Two kinds: those of everybody (archives of packages), kept once for all who name them, and those of one run, which are nobody else's
//! even where the bytes are the same, so that they can go with their run.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use domain::RunId;
use futures::TryStreamExt as _;
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

    fn path_of_run(self, run: RunId) -> object_store::path::Path {
        folder_of_run(run).join(self.to_string())
    }
}

fn folder_of_run(run: RunId) -> object_store::path::Path {
    let name = run.to_string();
    // An id ends in random digits, and begins with its time.
    object_store::path::Path::from(format!("runs/{}/{name}", &name[name.len() - 2..]))
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
        Ok(Self { store: Arc::new(store.with_automatic_cleanup(true)) })
    }

    /// Keeps the bytes and names them. The same bytes are kept once; safe to repeat and to race.
    pub async fn put(&self, bytes: Bytes) -> Result<BlobKey, StoreError> {
        let key = BlobKey::of(&bytes);
        self.put_at(&key.path(), bytes).await?;
        Ok(key)
    }

    /// Keeps the bytes for this run alone. Safe to repeat.
    pub(crate) async fn put_of_run(&self, run: RunId, bytes: Bytes) -> Result<BlobKey, StoreError> {
        let key = BlobKey::of(&bytes);
        self.put_at(&key.path_of_run(run), bytes).await?;
        Ok(key)
    }

    async fn put_at(&self, path: &object_store::path::Path, bytes: Bytes) -> Result<(), StoreError> {
        match self.store.head(path).await {
            Ok(_) => Ok(()),
            Err(object_store::Error::NotFound { .. }) => {
                self.store.put(path, bytes.into()).await.map_err(|source| StoreError::Blob(Arc::new(source)))?;
                Ok(())
            }
            Err(source) => Err(StoreError::Blob(Arc::new(source))),
        }
    }

    /// The bytes of a blob. `None`: there is no such blob.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the bytes no longer have the name's checksum.
    pub async fn get(&self, key: BlobKey) -> Result<Option<Bytes>, StoreError> {
        self.get_at(&key.path(), key).await
    }

    /// As [`Self::get`], of what is kept for this run alone.
    pub(crate) async fn get_of_run(&self, run: RunId, key: BlobKey) -> Result<Option<Bytes>, StoreError> {
        self.get_at(&key.path_of_run(run), key).await
    }

    /// Deletes all that is kept for this run alone. Safe to repeat and to race.
    pub(crate) async fn delete_of_run(&self, run: RunId) -> Result<(), StoreError> {
        let failed = |source| StoreError::Blob(Arc::new(source));
        let kept: Vec<_> = self.store.list(Some(&folder_of_run(run))).try_collect().await.map_err(failed)?;
        for blob in kept {
            match self.store.delete(&blob.location).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(source) => return Err(failed(source)),
            }
        }
        Ok(())
    }

    async fn get_at(&self, path: &object_store::path::Path, key: BlobKey) -> Result<Option<Bytes>, StoreError> {
        let found = match self.store.get(path).await {
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
    async fn bytes_come_back_under_their_checksum_go_with_their_run_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let key = blobs.put(Bytes::from_static(b"hello")).await.unwrap();
        assert_eq!(key.to_string(), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        assert_eq!(blobs.put(Bytes::from_static(b"hello")).await.unwrap(), key);
        assert_eq!(blobs.get(key).await.unwrap().as_deref(), Some(&b"hello"[..]));
        assert_eq!(blobs.get(BlobKey::of(b"absent")).await.unwrap(), None);

        let (one, other) = (RunId::new(&domain::RandomIds), RunId::new(&domain::RandomIds));
        for run in [one, other] {
            assert_eq!(blobs.put_of_run(run, Bytes::from_static(b"hello")).await.unwrap(), key);
        }
        for _ in 0..2 {
            blobs.delete_of_run(one).await.unwrap();
        }
        assert_eq!(blobs.get_of_run(one, key).await.unwrap(), None);
        assert!(!folder.path().join(folder_of_run(one).as_ref()).exists(), "not even an empty folder tells of the run");
        assert!(blobs.get_of_run(other, key).await.unwrap().is_some() && blobs.get(key).await.unwrap().is_some());

        std::fs::write(folder.path().join(key.path().as_ref()), b"hullo").unwrap();
        assert!(matches!(blobs.get(key).await, Err(StoreError::Corrupt { .. })));
    }
}
