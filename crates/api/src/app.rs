//! What every handler shares.

use std::sync::Arc;

use auth::Passwords;
use auth::mail::Mailer;
use connect::Vault;

use domain::{Clock, IdSource, Timestamp};
use store::Store;

use crate::chain::address::TrustedProxies;

/// Settings of the API.
#[derive(Clone, Debug)]
pub struct Options {
    /// Public base URL; its scheme decides the cookie's flags.
    pub app_url: url::Url,
    /// Origins that may send unsafe requests with a session cookie, besides the one of `app_url`.
    pub trusted_origins: Vec<String>,
    pub trusted_proxies: TrustedProxies,
    /// Why runs are refused; `None` when the sandbox works.
    pub sandbox_unavailable: Option<String>,
}

/// The state of the API. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The services behind the API.
pub struct Parts {
    pub store: Store,
    pub passwords: Passwords,
    pub vault: Vault,
    pub limits: runs::preflight::Limits,
    /// `None`: no mail server is configured; links are shown instead of sent, and what needs mail is refused.
    pub mailer: Option<Arc<dyn Mailer>>,
    pub options: Options,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub fn now(&self) -> Timestamp {
        self.0.store.clock().now()
    }

    pub fn clock(&self) -> &dyn Clock {
        self.0.store.clock()
    }

    pub fn ids(&self) -> &dyn IdSource {
        self.0.store.ids()
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
