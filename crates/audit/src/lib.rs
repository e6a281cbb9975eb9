//! Proof that the audit log is whole: signed seals over every chain of rows, and the check of them.
//!
//! | module | owns |
//! |---|---|
//! | `signing.rs` | the Ed25519 key: made once, sealed under the master key |
//! | `sealer.rs` | the one worker at a time that gives committed rows their seals |
//! | `memory.rs` | what it has seen, so that nobody can make it begin a chain anew |
//! | `verify/` | the walk over the chains: what is missing, changed, moved or inserted |
//!
//! Rows are written by `store` with the change that they tell of; the form that digests are made of is its `audit/canonical.rs`.
//! `server → audit → store, domain`. Knows nothing of HTTP and no SQL.

mod memory;
mod sealer;
mod signing;
mod verify;

pub use self::sealer::{Options, Sealer, Step};
pub use self::signing::{SigningKey, verifies};
pub use self::verify::{ChainReport, Finding, KeyTrust, Pin, Report, Selection, Warning, verify};

use store::{SealError, StoreError};

/// What keeps the log from being sealed or checked.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("the store refused")]
    Store(#[from] StoreError),
    #[error("the signing key could not be sealed")]
    Seal(#[from] SealError),
    #[error("the signing key is not one")]
    Key,
    /// Neither a row nor a seal speaks of the chain, and no pin says that it existed.
    #[error("nothing in the log speaks of {chain}; check the id")]
    NoSuchChain { chain: String },
}
