//! Credentials of outside services and the catalogue of packages.
//!
//! | module | owns |
//! |---|---|
//! | [`vault`] | sealing and opening under data keys |
//! | [`catalogue`] | publishing packages; the platform's own |
//! | [`credentials`] | what a provider asks a user for, and what a run is handed of it |
//!
//! `runs, api → connect → store → wire, afps, domain`. Knows nothing of HTTP.

pub mod catalogue;
pub mod credentials;
pub mod vault;

pub use vault::{SealWithMaster, Vault};
