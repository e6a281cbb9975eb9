//! Sealing of stored bodies. The cryptography lives in crate `connect`; this is the shape that the store calls.

use std::fmt;

/// Seals bytes so that the database alone does not tell them. Called inside a transaction: must not touch the store.
pub trait Sealer: Send + Sync + fmt::Debug {
    /// Encrypts and authenticates `plain`, bound to `associated`.
    fn seal(&self, plain: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError>;
    /// The plain bytes again.
    ///
    /// # Errors
    /// When the bytes were changed, sealed by another key, or for other associated data.
    fn open(&self, sealed: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError>;
}

/// Bytes that could not be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SealError(pub String);
