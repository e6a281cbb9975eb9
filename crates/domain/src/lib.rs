//! The vocabulary of the platform: ids, principals, permissions, run states and problem codes.
//!
//! No I/O and no async: everything here is a value or a rule about values, so that every other crate may depend on it.
//! Time, randomness and ids are traits ([`Clock`], [`IdSource`]); production implementations live here too because they
//! hold no configuration.

pub mod audit;
pub mod clock;
pub mod code;
pub mod id;
pub mod language;
#[cfg(feature = "mock")]
pub mod mock;
pub mod money;
pub mod network;
pub mod package_name;
pub mod permission;
pub mod principal;
pub mod proxy;
pub mod run;
pub mod secret;

pub use audit::{AuditChain, Decision};
pub use clock::{Clock, SystemClock, Timestamp};
pub use code::Code;
pub use id::{
    AppId, AuditId, ConnectionId, EndUserId, EventId, IdSource, InvitationId, JobId, KeyId, MemoryId, ModelId, OrgId, ProfileId,
    ProviderKeyId, ProxyId, RandomIds, RequestId, RunId, SessionId, UserId, VersionId,
};
pub use language::Language;
pub use money::NanoUsd;
pub use network::client_network;
pub use package_name::PackageName;
pub use permission::{Permission, PermissionSet};
pub use principal::{Authority, Principal, Reach, Role, Subject};
pub use proxy::{BuiltInProxy, ProxyChoice, ProxyRef};
pub use run::RunStatus;
pub use secret::Secret;
