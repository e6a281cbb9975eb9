//! How many requests a caller may send, and what it is told of that.
//!
//! [`by_address`] stands outside authentication: routes without credentials, unknown routes and requests whose caller stayed unknown count
//! against the address. [`by_identity`] stands inside: everything else counts against the key (its end-users share its budget) or
//! the user. Each response tells the tighter of its buckets; a refused request costs nothing and opens no bucket.
//!
//! | module | owns |
//! |---|---|
//! | [`class`] | what kind of work a route is |
//! | [`settings`] | `RATE_LIMITS` |
//! | [`route`] | from a request to its class and its bucket |
//! | [`attempt`], [`established`] | what bad credentials cost their address, and who is heard all the same |
//! | [`headers`] | how the answer is written |

pub mod attempt;
pub mod class;
pub mod established;
pub mod headers;
pub mod route;
pub mod settings;

use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::Extensions;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::{AppId, Code};
use store::{Bucket, KeyLogin, SessionLogin, Verdict};

use self::class::Class;
use self::headers::Told;
use self::route::Route;
use super::address::ClientAddress;
use crate::app::App;
use crate::extract::caller::{Caller, Credential};
use crate::problem::Problem;

/// Who a request counts against.
#[derive(Clone, Debug)]
pub struct Identity {
    owner: String,
    /// Whose sizes apply.
    app: Option<AppId>,
}

impl Identity {
    fn address(extensions: &Extensions) -> Self {
        let address = extensions.get::<ClientAddress>().expect("the outermost layer finds the address of every request");
        Self { owner: address.network(), app: None }
    }

    /// The key, whoever of its end-users it acts for.
    pub fn key(login: &KeyLogin) -> Self {
        Self { owner: format!("apikey:{}", login.key), app: Some(login.app) }
    }

    pub fn user(login: &SessionLogin, app: Option<AppId>) -> Self {
        Self { owner: login.user.id.to_string(), app }
    }

    /// `None` for a caller without credentials.
    pub fn of(caller: &Caller) -> Option<Self> {
        match &caller.credential {
            Credential::None => None,
            Credential::Key(login) => Some(Self::key(login)),
            Credential::Session(login) => Some(Self::user(login, caller.app.map(|scope| scope.app()))),
        }
    }
}

/// A request beyond its quota: 429.
#[derive(Clone, Copy, Debug)]
pub struct Refused(Told);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Told { budget, .. } = self.0;
        let (limit, window) = (budget.quota.limit, budget.quota.window.as_secs());
        // In less than a millisecond it is over; a client that comes back in the same second has done right.
        let seconds = budget.reset_seconds().max(1);
        let detail = format!("At most {limit} requests in {window} s are allowed here. Wait {seconds} s.");
        with(Problem::new(Code::RateLimited, detail).retry_after(seconds).into_response(), self.0)
    }
}

fn with(mut response: Response, told: Told) -> Response {
    response.extensions_mut().insert(told);
    response
}

/// Counts what needs no credentials, and afterwards what had none that were good.
pub async fn by_address(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let route = Route::of(&mut parts).await;
    let identity = Identity::address(&parts.extensions);
    parts.extensions.insert(route.clone());
    let request = Request::from_parts(parts, body);
    if route.is_open {
        return match count(&app, &identity, &route).await {
            Ok(told) => with(next.run(request).await, told),
            Err(refused) => refused.into_response(),
        };
    }
    let response = next.run(request).await;
    if response.extensions().get::<Told>().is_some() { response } else { count_stranger(&app, &identity, response).await }
}

/// Counts what somebody known sends.
pub async fn by_identity(State(app): State<App>, request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let route = extensions.get::<Route>().filter(|route| !route.is_open).cloned();
    let identity = extensions.get::<Caller>().and_then(Identity::of);
    let (Some(route), Some(identity)) = (route, identity) else { return next.run(request).await };
    match count(&app, &identity, &route).await {
        Ok(told) => with(next.run(request).await, told),
        Err(refused) => refused.into_response(),
    }
}

/// Draws the request from the buckets of its route.
async fn count(app: &App, identity: &Identity, route: &Route) -> Result<Told, Refused> {
    let (mut size, is_own) = app.options.rate_limits.size(route.class, identity.app);
    if route.is_inline_run {
        let allowed = in_window(app.limits.inline.rate_per_min, size.quota.window);
        size.quota.limit = size.quota.limit.min(allowed);
    }
    // An application's own sizes have their own buckets: one count cannot be held against two limits.
    let suffix = identity.app.filter(|_| is_own).map(|app| format!("@{app}")).unwrap_or_default();
    let own = format!("{}{suffix}", route.name);
    let class = route.class.as_str();
    let bucket = Bucket { name: &own, quota: size.quota };
    let Some((ceiling, quota)) = route.class.ceiling_name().zip(size.ceiling) else {
        return decide(&app.limiter.spend(&identity.owner, &[bucket]).await, &[class]);
    };
    let over = format!("{ceiling}{suffix}");
    let verdict = app.limiter.spend(&identity.owner, &[bucket, Bucket { name: &over, quota }]).await;
    decide(&verdict, &[class, ceiling])
}

/// `INLINE_RUN_LIMITS` speaks of minutes.
fn in_window(per_minute: NonZeroU32, window: Duration) -> NonZeroU32 {
    let allowed = u64::from(per_minute.get()) * window.as_secs() / 60;
    u32::try_from(allowed).ok().and_then(NonZeroU32::new).unwrap_or(if allowed == 0 { NonZeroU32::MIN } else { NonZeroU32::MAX })
}

fn decide(verdict: &Verdict, policies: &[&'static str]) -> Result<Told, Refused> {
    let told = Told { policy: policies[verdict.at], budget: verdict.tightest };
    if verdict.is_allowed { Ok(told) } else { Err(Refused(told)) }
}

/// Who sent a request whose caller stayed unknown; in the extensions of its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Brought no credential.
    Bare,
    /// Brought a wrong one.
    Unknown,
}

/// What an address may send without credentials, or with wrong ones.
fn strangers(app: &App, stranger: Stranger) -> Bucket<'static> {
    let (size, _) = app.options.rate_limits.size(Class::Public, None);
    let name = match stranger {
        Stranger::Bare => "bare",
        Stranger::Unknown => "refused",
    };
    Bucket { name, quota: size.quota }
}

/// Counts a response against the address, because nobody known asked for it.
async fn count_stranger(app: &App, address: &Identity, response: Response) -> Response {
    // A fault of ours is held against nobody.
    let is_fault = response.status().is_server_error();
    let stranger = response.extensions().get::<Stranger>().copied().unwrap_or(Stranger::Bare);
    let (owner, buckets) = (&address.owner, [strangers(app, stranger)]);
    let verdict = if is_fault { app.limiter.look(owner, &buckets).await } else { app.limiter.spend(owner, &buckets).await };
    match decide(&verdict, &[Class::Public.as_str()]) {
        Err(refused) if !is_fault => refused.into_response(),
        Ok(told) | Err(Refused(told)) => with(response, told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_in_minutes_fits_any_window() {
        let per_minute = |rate: u32, seconds: u64| in_window(NonZeroU32::new(rate).unwrap(), Duration::from_secs(seconds)).get();
        assert_eq!((per_minute(60, 60), per_minute(60, 10), per_minute(60, 86_400)), (60, 10, 86_400));
        assert_eq!((per_minute(1, 10), per_minute(u32::MAX, 86_400)), (1, u32::MAX));
    }
}
