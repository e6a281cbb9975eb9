//! The key that signs seals. Whoever has the public half can check a seal without any secret of ours.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use store::{AuditKey, NewAuditKey, Sealer, Store};

use crate::AuditError;

/// Bytes of the private half.
const SEED: usize = 32;

/// An open signing key. Its id is made from the public half.
#[derive(Debug)]
pub struct SigningKey {
    id: String,
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// The platform's key; made at the first start, and again when no master key at hand opens the newest one.
    pub async fn open_or_create(store: &Store, masters: &dyn Sealer) -> Result<Self, AuditError> {
        let newest = store.system().audit_keys().await?.into_iter().next();
        if let Some(known) = &newest {
            match Self::open(known, masters) {
                Ok(key) => return Ok(key),
                // A new key takes its place; the old public half stays, to check what it has signed.
                Err(error) => tracing::warn!(%error, key = known.id, "the newest signing key of the audit log does not open"),
            }
        }
        let mut seed = [0; SEED];
        store.ids().fill(&mut seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| AuditError::Key)?;
        let id = key_id(pair.public_key().as_ref());
        let sealed = masters.seal(&seed, &place(&id))?;
        let new = NewAuditKey { id, public_key: STANDARD.encode(pair.public_key().as_ref()), sealed };
        let stored = store.system().add_audit_key(new, newest.as_ref().map(|key| key.id.as_str())).await?;
        Self::open(&stored, masters)
    }

    /// Opens a stored key.
    ///
    /// # Errors
    /// When it was sealed under a master key that is not at hand, or its public half is not of this private one.
    pub fn open(stored: &AuditKey, masters: &dyn Sealer) -> Result<Self, AuditError> {
        let seed = masters.open(&stored.sealed, &place(&stored.id))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| AuditError::Key)?;
        let public = pair.public_key().as_ref();
        if key_id(public) != stored.id || STANDARD.encode(public) != stored.public_key {
            return Err(AuditError::Key);
        }
        Ok(Self { id: stored.id.clone(), pair })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Signs a digest; base64.
    pub fn sign(&self, digest: &[u8]) -> String {
        STANDARD.encode(self.pair.sign(digest))
    }
}

/// Whether this key, in base64, has signed the digest.
pub fn verifies(public_key: &str, digest: &[u8], signature: &str) -> bool {
    let (Ok(key), Ok(signature)) = (STANDARD.decode(public_key), STANDARD.decode(signature)) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(digest, &signature).is_ok()
}

/// `ak_` and the first eight bytes of the public half's SHA-256, in hexadecimal.
fn key_id(public: &[u8]) -> String {
    format!("ak_{}", hex::encode(&digest(&SHA256, public).as_ref()[..8]))
}

/// Where the sealed half stands; part of what its cipher authenticates.
fn place(id: &str) -> Vec<u8> {
    format!("audit_keys|sealed|{id}").into_bytes()
}
