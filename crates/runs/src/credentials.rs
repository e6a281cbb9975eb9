//! The port through which a run gets its secrets. Crate `connect` opens the vault behind it.

use async_trait::async_trait;
use domain::Secret;
use store::AppScope;
use wire::control::Credentials;
use wire::run_spec::RunSpec;

/// Opens the secrets of one run, just before it is handed to its sidecar.
#[async_trait]
pub trait CredentialSource: Send + Sync {
    /// The key of the run's model, the fields of each of its connections and the address of its proxy.
    ///
    /// # Errors
    /// When a key or connection is gone, or cannot be opened. The run then fails before it starts.
    async fn open(&self, scope: &AppScope, spec: &RunSpec) -> Result<RunSecrets, CredentialError>;
}

/// Every secret that one run may use, and no other.
#[derive(Clone, Debug, Default)]
pub struct RunSecrets {
    /// `None`: the model's server wants no key.
    pub model_key: Option<Secret>,
    pub credentials: Vec<Credentials>,
    /// The address of the run's outbound proxy with its credentials; `None`: it has none.
    pub proxy_url: Option<Secret>,
}

/// Why a run cannot have its secrets.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The user can mend it: a connection or key was removed since the run was accepted. The text is shown on the run.
    #[error("{0}")]
    Gone(String),
    /// The platform's fault: the vault or the database does not answer.
    #[error("the credentials could not be opened")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
