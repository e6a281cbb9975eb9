//! What bad credentials cost.
//!
//! A request whose credentials are missing or wrong counts against its address ([`super::by_address`]). Once the address has used that up,
//! further credentials from it are not even looked up, so guessing gains nothing and costs no query: a right guess would be refused,
//! too. Credentials that were good from there before are looked up all the same.

use axum::extract::Request;

use super::headers::Told;
use super::route::Route;
use super::{Class, Identity, Refused, count, decide, strangers};
use crate::app::App;

/// A request on its way through authentication.
pub struct Attempt {
    route: Route,
    address: Identity,
    credential: Option<String>,
}

impl Attempt {
    pub fn of(request: &Request, credential: Option<&str>) -> Self {
        let extensions = request.extensions();
        let route = extensions.get::<Route>().expect("the layer outside finds the route of every request").clone();
        Self { route, address: Identity::address(extensions), credential: credential.map(ToOwned::to_owned) }
    }

    /// Refuses a credential that is not to be looked up.
    pub fn admit(&self, app: &App) -> Result<(), Refused> {
        let Some(credential) = &self.credential else { return Ok(()) };
        // Routes without credentials are counted by address already.
        if self.route.is_open || app.established().contains(&self.address.owner, credential) {
            return Ok(());
        }
        match app.limiter.known_refusal(&self.address.owner, &[strangers(app)]) {
            Some(refusal) => decide(&refusal, &[Class::Public.as_str()]).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Remembers whether the credential was good; `None`: nobody could say.
    pub fn settle(&self, app: &App, is_good: Option<bool>) {
        if let (Some(credential), Some(is_good)) = (&self.credential, is_good) {
            app.established().note(&self.address.owner, credential, is_good);
        }
    }

    /// Counts a request that goes no further although its credential was good. `None` where the address has paid.
    pub async fn count(&self, app: &App, identity: &Identity) -> Result<Option<Told>, Refused> {
        if self.route.is_open { Ok(None) } else { count(app, identity, &self.route).await.map(Some) }
    }
}
