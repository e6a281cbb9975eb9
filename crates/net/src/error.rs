//! Why a call could not be made.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use crate::policy::Refusal;
use crate::proxy::ProxyFailure;

/// What went wrong on the way out or back. Cheap to clone, because the connection pool hands errors out by reference.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The policy forbids the target.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The URL cannot be written into a request line.
    #[error("the address is not valid in a request")]
    InvalidUrl,
    #[error("the host \"{host}\" was not found")]
    Resolve { host: String, source: Arc<io::Error> },
    #[error("no connection to \"{host}\" was possible")]
    Connect { host: String, source: Arc<io::Error> },
    #[error("the certificate or TLS handshake of \"{host}\" failed")]
    Tls { host: String, source: Arc<io::Error> },
    #[error("\"{host}\" did not accept a connection in time")]
    ConnectTimeout { host: String },
    /// The upstream proxy did not open a tunnel.
    #[error(transparent)]
    Proxy(#[from] ProxyFailure),
    #[error("no response came in time")]
    ResponseTimeout,
    #[error("the transfer stood still for too long")]
    IdleTimeout,
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("more than {limit} redirects followed each other")]
    TooManyRedirects { limit: u32 },
    #[error("the redirect leads to no valid address")]
    InvalidRedirect,
    #[error("the connection broke before the response was complete")]
    Exchange { source: Arc<dyn StdError + Send + Sync> },
    #[error("the request body could not be read")]
    RequestBody { source: Arc<dyn StdError + Send + Sync> },
}

impl Error {
    /// Whether the policy, and not the network, is the reason.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether patience ran out.
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::ConnectTimeout { .. } | Self::ResponseTimeout | Self::IdleTimeout | Self::Proxy(ProxyFailure::Timeout))
    }

    /// Whether no byte of the request can have reached the target.
    pub const fn is_before_send(&self) -> bool {
        matches!(
            self,
            Self::Refused(_)
                | Self::InvalidUrl
                | Self::Resolve { .. }
                | Self::Connect { .. }
                | Self::Tls { .. }
                | Self::ConnectTimeout { .. }
                | Self::Proxy(_)
        )
    }

    /// Finds our own error inside what the pool reports.
    pub(crate) fn from_pool(error: hyper_util::client::legacy::Error) -> Self {
        let mut cause: Option<&(dyn StdError + 'static)> = error.source();
        while let Some(current) = cause {
            if let Some(own) = current.downcast_ref::<Self>() {
                return own.clone();
            }
            cause = current.source();
        }
        Self::Exchange { source: Arc::new(error) }
    }
}
