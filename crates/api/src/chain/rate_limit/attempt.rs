//! What bad credentials cost.
//!
//! A request whose credentials are wrong counts against its address ([`super::by_address`]). Once the address has used that up,
//! further credentials from it are not even looked up, so guessing gains nothing and costs no query: a right guess would be refused,
//! too. Credentials that were good from there before are looked up all the same, and so is a session that was opened from there.
//!
//! A request without any credential guesses nothing. It counts in a bucket of its own, so that one who asks bare does not keep the
//! address's others from being heard.

use axum::extract::Request;
use axum::response::Response;

use super::headers::Told;
use super::route::Route;
use super::{Class, Identity, Refused, Stranger, count, decide, strangers};
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

    /// Refuses a credential that is not to be looked up. Routes without credentials are counted by address already.
    pub fn admit(&self, app: &App) -> Result<(), Refused> {
        if self.route.is_open { Ok(()) } else { self.is_heard(app) }
    }

    /// The same, whatever the route: for those who look the credential up although nobody is refused.
    pub fn is_heard(&self, app: &App) -> Result<(), Refused> {
        let Some(credential) = &self.credential else { return Ok(()) };
        if app.established().contains(&self.address.owner, credential) {
            return Ok(());
        }
        match app.limiter.known_refusal(&self.address.owner, &[strangers(app, Stranger::Unknown)]) {
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

    /// Remembers a session that this request has opened.
    pub fn opened(&self, app: &App, token: &str) {
        app.established().note(&self.address.owner, token, true);
    }

    /// Notes on the response what the request counts as, should its caller have stayed unknown.
    pub fn mark(&self, mut response: Response) -> Response {
        response.extensions_mut().insert(if self.credential.is_some() { Stranger::Unknown } else { Stranger::Bare });
        response
    }

    /// Counts a request that goes no further although its credential was good. `None` where the address has paid.
    pub async fn count(&self, app: &App, identity: &Identity) -> Result<Option<Told>, Refused> {
        if self.route.is_open { Ok(None) } else { count(app, identity, &self.route).await.map(Some) }
    }
}
