//! What every handler shares.

use std::sync::Arc;
use std::time::Duration;

use auth::Passwords;
use auth::mail::{Letters, Mailer};
use auth::social::Logins;
use connect::{Outbound, Vault};

use domain::{Clock, Code, IdSource, Secret, Timestamp};
use store::{RateLimiter, Store};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::Instrument as _;

use crate::chain::address::TrustedProxies;
use crate::chain::rate_limit::established::Established;
use crate::chain::rate_limit::settings::RateLimits;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::sse::{Hub, Timing};
use crate::versions::{Deprecation, Version};

/// Work that may go on after its answer at one time. What it does is short, so more means that something stands still.
const MAX_BACKGROUND: usize = 256;

/// Enough for the largest archive over a line of 1 Mbit/s, and no more: whoever sends slower holds a connection for as long.
pub const DEFAULT_BODY_PATIENCE: Duration = Duration::from_mins(2);

/// Settings of the API.
#[derive(Clone, Debug)]
pub struct Options {
    /// Public base URL; its scheme decides the cookie's flags.
    pub app_url: url::Url,
    /// Origins that may send unsafe requests with a session cookie, besides the one of `app_url`.
    pub trusted_origins: Vec<String>,
    pub trusted_proxies: TrustedProxies,
    /// How many requests each class of routes takes (`RATE_LIMITS`).
    pub rate_limits: RateLimits,
    /// Why runs are refused; `None` when the sandbox works.
    pub sandbox_unavailable: Option<String>,
    /// Deprecations of API versions besides those of the releases themselves.
    pub deprecations: Vec<(Version, Deprecation)>,
    pub streams: Timing,
    /// How long a request's body may take to arrive. Default [`DEFAULT_BODY_PATIENCE`].
    pub body_patience: Duration,
    /// What opens `GET /metrics`; `None`: nothing does.
    pub metrics_token: Option<Secret>,
}

/// The state of the API. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Whole>);

struct Whole {
    parts: Parts,
    established: Established,
    hub: Hub,
    metrics: Arc<Metrics>,
}

/// The services behind the API.
pub struct Parts {
    pub store: Store,
    pub passwords: Passwords,
    pub vault: Vault,
    pub limits: runs::preflight::Limits,
    /// Counts requests.
    pub limiter: RateLimiter,
    /// The server's own outbound calls, and the operator's proxies.
    pub outbound: Outbound,
    /// `None`: no mail server is configured; links are shown instead of sent, and what needs mail is refused.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// Login with others.
    pub logins: Logins,
    /// Work that goes on after its answer; the server waits for it before it stops.
    pub background: TaskTracker,
    pub options: Options,
}

/// Room for one piece of work after an answer; the server waits for it before it stops.
#[derive(Debug)]
pub struct Place(TaskTrackerToken);

impl Place {
    /// Does this while the answer leaves.
    pub fn fill(self, work: impl Future<Output = ()> + Send + 'static) {
        let Self(token) = self;
        let work = async move {
            let _token = token;
            work.await;
        };
        // What it logs carries the id of its request.
        tokio::spawn(work.in_current_span());
    }
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Whole { parts, established: Established::default(), hub: Hub::default(), metrics: Arc::default() }))
    }

    /// Who writes to users about their accounts.
    ///
    /// # Errors
    /// On a server that sends no mail.
    pub fn letters(&self) -> Result<Letters, Problem> {
        let mailer = self.mailer.clone().ok_or_else(|| Problem::new(Code::MailNotConfigured, "This server sends no mail."))?;
        Ok(Letters::new(self.store.clone(), mailer, self.options.app_url.clone()))
    }

    /// A place for work that goes on once the answer is on its way: its duration is nobody's to see. Taken before anything is
    /// committed, so that no refusal follows a change.
    ///
    /// # Errors
    /// When too much of it waits already.
    pub fn place_after_answer(&self) -> Result<Place, Problem> {
        if self.background.len() >= MAX_BACKGROUND {
            return Err(Problem::new(Code::Unavailable, "The server is busy.").retry_after(5));
        }
        Ok(Place(self.background.token()))
    }

    pub fn now(&self) -> Timestamp {
        self.store.clock().now()
    }

    pub fn clock(&self) -> &dyn Clock {
        self.store.clock()
    }

    pub fn ids(&self) -> &dyn IdSource {
        self.store.ids()
    }

    /// What wide streams share.
    pub(crate) fn streams(&self) -> &Hub {
        &self.0.hub
    }

    /// What is counted for the operator.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// Which credentials were good from which address.
    pub fn established(&self) -> &Established {
        &self.0.established
    }

    /// When the version will end. `None`: not in sight.
    pub fn deprecation(&self, version: Version) -> Option<Deprecation> {
        let more = self.options.deprecations.iter().find(|(deprecated, _)| *deprecated == version);
        more.map(|(_, deprecation)| *deprecation).or_else(|| version.deprecation())
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}
