//! The audit log after its rows are written: read in a tenant's scope, chained into seals by the platform, checked from outside.
//!
//! | file | owns |
//! |---|---|
//! | `canonical.rs` | the bytes that digests are made of; documented in `docs/reference/audit-log.md` |
//! | `search.rs` | what a scope sees of its rows: pages and exports |
//! | `seals.rs` | what a scope sees of its seals; the keys that sign |
//! | `sealing.rs` | rows without a seal, and giving them one |
//! | `archive.rs` | the whole log, read-only, with nothing taken on trust |
//!
//! Signing is crate `audit`'s; rows are written in `records/audit.rs`.

mod archive;
mod canonical;
mod sealing;
mod seals;
mod search;

pub use self::archive::{AuditArchive, StrayRow, UnsealedTail};
pub use self::canonical::{AuditSeal, RawAuditRow, RowsDigest, SealDigest};
pub use self::sealing::{AuditHead, NewAuditSeal, UnsealedAudit};
pub use self::seals::{AuditKey, NewAuditKey};
pub use self::search::{AuditCursor, AuditFilter};
