//! The server's own outbound calls: what an organization has stored is tried before an agent depends on it.
//!
//! No transaction is open while one of these waits.

mod model;
mod origin;
mod outcome;

use std::sync::Arc;
use std::time::Duration;

use domain::Secret;
use http::Method;
use net::{Client, Purpose, Request, Timeouts};
use tokio::time::{Instant, timeout};
use url::Url;

pub use model::{ModelTest, VendorKey};
pub use origin::is_same_origin;
pub use outcome::{TestFailure, TestOutcome};

use crate::proxies::{self, ProxyAddressError, SystemProxies};

/// How long a test may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The outbound client with what the operator has set for it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    proxies: Arc<SystemProxies>,
    /// What a test of a proxy calls.
    test_url: Url,
}

impl Outbound {
    pub fn new(client: Client, proxies: Arc<SystemProxies>, test_url: Url) -> Self {
        Self { client, proxies, test_url }
    }

    /// The operator's proxies.
    pub fn proxies(&self) -> &Arc<SystemProxies> {
        &self.proxies
    }

    /// Checks an address that is to be stored as a proxy's; what may be shown of it.
    pub fn check_proxy(&self, url: &Secret) -> Result<String, ProxyAddressError> {
        proxies::check(&self.client, url).map(|proxy| proxy.masked())
    }

    /// Calls [`Self::test_url`] through the proxy. Any answer will do: it has come the whole way.
    pub async fn test_proxy(&self, url: &Secret) -> TestOutcome {
        let attempt = async {
            let proxy = proxies::check(&self.client, url).map_err(|error| TestFailure::of_address(&error))?;
            let request = Request::new(Method::GET, self.test_url.clone()).timeouts(Timeouts { response: None, idle: None });
            self.client.through(proxy).send(Purpose::Proxies, request).await.map_err(|error| TestFailure::of_net(&error))?;
            Ok(())
        };
        timed(attempt).await
    }

    /// Asks the model for an answer and hangs up as soon as it begins.
    pub async fn test_model(&self, test: &ModelTest) -> TestOutcome {
        timed(model::run(&self.client, test)).await
    }
}

async fn timed(attempt: impl Future<Output = Result<(), TestFailure>>) -> TestOutcome {
    let start = Instant::now();
    let outcome = timeout(PATIENCE, attempt).await.unwrap_or_else(|_| Err(TestFailure::late(PATIENCE)));
    TestOutcome { latency: start.elapsed(), failure: outcome.err() }
}
