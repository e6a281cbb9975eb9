//! Preflight: everything that must be right before a run is accepted, checked at once, frozen into a [`RunSpec`].
//!
//! | file | decides |
//! |---|---|
//! | `load.rs` | reads what the run needs in one scope: agent, packages, model, connections, state, memories |
//! | `values.rs` | input and configuration against their schemas |
//! | `providers.rs` | which connection serves each provider |
//! | `model.rs` | which model, and its limits |
//! | `proxy.rs` | which outbound proxy, if any |
//! | `spec.rs` | the frozen result |
//!
//! All problems are reported together, each with its place in the request.

mod load;
mod model;
mod obstacle;
mod providers;
mod proxy;
mod spec;
mod values;

use connect::{SystemProxies, Vault};
use domain::{ModelId, PackageName, ProxyChoice};
use serde_json::{Map, Value};
use store::{AppScope, NewRun, Store, StoreError};

pub use load::{key_owner, resolve_version};
pub use obstacle::Obstacle;
pub use values::check_config;

use crate::limits::{InlineRunLimits, PlatformRunLimits};

/// What is to be run.
#[derive(Clone, Debug)]
pub enum Choice {
    /// An agent that is installed in the application.
    Installed {
        package: PackageName,
        /// Exact version, dist-tag or range; `None`: the installed one.
        version: Option<String>,
    },
    /// An agent that exists for this run only.
    Inline { manifest: Value, prompt: String, config: Map<String, Value> },
}

/// A request to run.
#[derive(Clone, Debug)]
pub struct Request {
    pub choice: Choice,
    pub input: Map<String, Value>,
    /// Overrides the application's and the organization's model.
    pub model: Option<ModelId>,
    /// Overrides the application's, the organization's and the operator's proxy.
    pub proxy: Option<ProxyChoice>,
    pub started_by: StartedBy,
}

/// Who asked for the run, for its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartedBy {
    pub user: Option<domain::UserId>,
    pub key: Option<domain::KeyId>,
}

/// What preflight reads from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    pub store: &'a Store,
    pub vault: &'a Vault,
    /// The operator's proxies, which are no rows.
    pub proxies: &'a SystemProxies,
}

/// The bounds that preflight applies.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    pub platform: PlatformRunLimits,
    pub inline: InlineRunLimits,
}

/// Why a run cannot start.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    #[error("the agent {0} is not installed in this application")]
    AgentNotFound(PackageName),
    #[error("the run is not ready: {} problems", .0.len())]
    NotReady(Vec<Obstacle>),
    #[error("could not read what the run needs")]
    Store(#[from] StoreError),
    /// A stored package does not read as what was published. Ours to mend.
    #[error("a stored package is damaged: {0}")]
    Damaged(String),
}

/// Checks the request in the caller's scope and prepares the run. Writes nothing.
///
/// # Errors
/// [`PreflightError::NotReady`] with every problem at once.
pub async fn prepare(sources: Sources<'_>, scope: &AppScope, request: Request, limits: &Limits) -> Result<NewRun, PreflightError> {
    let mut obstacles = Vec::new();
    let loaded = load::load(sources, scope, &request, limits, &mut obstacles).await?;
    let input = values::input(&loaded.agent, &request.input, &mut obstacles);
    let config = values::config(&loaded.agent, &loaded.config, &mut obstacles);
    let model = model::choose(&loaded, request.model, &mut obstacles);
    let proxy = proxy::choose(&loaded.proxy, request.proxy.as_ref(), &mut obstacles);
    let providers = providers::resolve(&loaded, &mut obstacles);
    let parts = spec::Parts { loaded: &loaded, input, config, model, proxy, providers, limits };
    let run = spec::freeze(sources.store, scope, &request, parts, &mut obstacles);
    match run {
        Some(run) if obstacles.is_empty() => Ok(run),
        _ => Err(PreflightError::NotReady(obstacles)),
    }
}
