//! A run's life: preflight → queue → executor → finaliser.
//!
//! | module | owns |
//! |---|---|
//! | [`limits`] | `PLATFORM_RUN_LIMITS`, `INLINE_RUN_LIMITS` |
//! | [`preflight`] | everything that must be right before a run is accepted, frozen into a spec |
//! | [`start()`] | queues a prepared run in the caller's transaction |
//! | [`cancel()`] | asks a run to stop |
//! | [`Service`] | the worker: claims, leases, recovery, orderly stop |
//! | `executor` | one run: prepare → begin → follow → settle → clean up |
//! | `session`, `follow` | the loop around a running sidecar; its messages as committed rows |
//! | `finaliser`, `recover` | the one writer of ends; runs whose worker is gone |
//! | [`sidecar`] | the per-run process: start, pool, link |
//! | [`sandbox`] | the sandbox of a run |
//! | `files`, [`credentials`], `history` | what a run is handed: packages, secrets, earlier runs |
//!
//! `api, server → runs → {store, sandbox, connect, agent} → wire, afps, domain`. Knows nothing of HTTP.

pub mod cancel;
pub mod credentials;
mod endings;
mod error;
mod executor;
mod files;
mod finaliser;
mod follow;
mod history;
pub mod limits;
pub mod preflight;
mod recover;
mod registry;
pub mod sandbox;
mod service;
mod session;
pub mod sidecar;
pub mod start;
mod vault_credentials;

pub use self::cancel::{Cancelled, cancel};
pub use self::credentials::{CredentialError, CredentialSource, RunSecrets};
pub use self::error::RunError;
pub use self::limits::{InlineRunLimits, InvalidLimits, PlatformRunLimits};
pub use self::sandbox::SandboxSource;
pub use self::service::{Handle, Options, Parts, Service};
pub use self::sidecar::pool::Pool;
pub use self::sidecar::process::{Launch, Launcher, Process, Sidecar};
pub use self::start::start;
pub use self::vault_credentials::VaultCredentials;
