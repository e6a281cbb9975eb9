//! Credentials of outside services and the catalogue of packages.
//!
//! | module | owns |
//! |---|---|
//! | [`vault`] | sealing and opening under data keys |
//! | [`catalogue`] | publishing packages; the platform's own |
//! | [`credentials`] | what a provider asks a user for, and what a run is handed of it |
//! | [`proxies`] | outbound proxies, the operator's among them |
//! | [`outbound`] | the server's own calls: tests of proxies and models |
//!
//! `runs, api → connect → {store, net} → wire, afps, domain`. Knows nothing of HTTP.

pub mod catalogue;
pub mod credentials;
pub mod outbound;
pub mod proxies;
pub mod vault;

pub use outbound::Outbound;
pub use proxies::SystemProxies;
pub use vault::{SealWithMaster, Vault};
