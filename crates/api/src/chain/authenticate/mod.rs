//! Finds out who calls: one look-up of the credential, then organization, application and end-user from the headers.
//!
//! A wrong key is final, also beside a right cookie. What is decided here holds for this request only: nothing is cached
//! past a revocation.
//!
//! | file | owns |
//! |---|---|
//! | `claims.rs` | what the request says about its caller, and what is wrong with how it says so |
//! | `origin.rs` | requests that a browser sends for another site |
//! | `identify.rs` | who makes the claims |
//! | `refusal.rs` | a request that goes no further: limit, log, version |

mod claims;
mod identify;
mod origin;
mod refusal;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::{Code, OrgId, Permission};
use store::AppScope;

pub use self::claims::Source;
use self::claims::{Asked, Claims};
use self::identify::{identify, redeem};
use self::refusal::{Refusal, refuse};
use super::rate_limit::attempt::Attempt;
use super::version;
use crate::app::App;
use crate::cookie;
use crate::extract::caller::{Caller, Credential};
use crate::problem::Problem;

/// The claims of a request, kept by a long answer to ask again whether they still hold. The credential in it never prints.
#[derive(Clone)]
pub struct Standing {
    claims: Arc<Claims>,
    org: Option<OrgId>,
    scope: Option<AppScope>,
}

impl Standing {
    /// Whether the same claims still lead to the same organization, application and reach, and to the permission. A database that does
    /// not answer counts as yes: a stream outlives a restart of the database, and the next question comes soon.
    pub async fn holds(&self, app: &App, permission: Permission) -> bool {
        match identify(app, &self.claims).await {
            Ok((caller, _)) => org(&caller) == self.org && caller.app == self.scope && caller.permissions.contains(permission),
            Err(refusal) => refusal.problem.code == Code::Unavailable,
        }
    }
}

fn org(caller: &Caller) -> Option<OrgId> {
    caller.org.as_ref().map(|org| org.scope.org())
}

/// Puts the [`Caller`] and the [`version::Version`] into the request, or answers with the refusal.
pub async fn authenticate(State(app): State<App>, request: Request, next: Next) -> Response {
    let asked = Asked::of(&app, &request);
    let attempt = Attempt::of(&request, asked.claims.credential());
    let response = match attempt.admit(&app) {
        Ok(()) => admitted(&app, request, next, asked, &attempt).await,
        Err(refused) => refused.into_response(),
    };
    attempt.mark(response)
}

async fn admitted(app: &App, mut request: Request, next: Next, asked: Asked, attempt: &Attempt) -> Response {
    let (source, requested) = (Source::of(&request), asked.version);
    let known = who(app, asked).await;
    attempt.settle(app, is_good(&known));
    let Known { claims, mut caller, pinned } = match known {
        Ok(known) => known,
        Err(refusal) => return refuse(app, request, attempt, refusal, requested).await,
    };
    let version = version::resolve(requested, pinned.as_deref());
    let prolonged = prolong(app, &mut caller, &claims).await;
    if source == Source::HeadersAndQuery || request.uri().path() == "/api/audit-log" {
        request.extensions_mut().insert(Standing { claims: Arc::new(claims), org: org(&caller), scope: caller.app });
    }
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(version);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(version);
    if let Some(token) = cookie::opened(response.headers(), &app.options.app_url) {
        attempt.opened(app, &token);
    }
    if let Some(cookie) = prolonged {
        // A handler that sets the cookie itself has ended or replaced the session.
        response.headers_mut().entry(header::SET_COOKIE).or_insert(cookie);
    }
    response
}

/// Somebody whose request is in order.
struct Known {
    claims: Claims,
    caller: Caller,
    pinned: Option<String>,
}

/// Who asks. A bad credential is told before anything else that is wrong; of the rest, what is wrong with the request itself comes
/// first.
async fn who(app: &App, asked: Asked) -> Result<Known, Refusal> {
    let Asked { claims, wrong, .. } = redeem(app, asked).await?;
    match (identify(app, &claims).await, wrong) {
        (Ok((caller, pinned)), None) => Ok(Known { claims, caller, pinned }),
        (Ok((caller, pinned)), Some(problem)) => Err(Refusal::of(problem, &caller, &claims, pinned)),
        (Err(refusal), Some(problem)) if refusal.identity.is_some() && refusal.problem.code.status() < 500 => {
            Err(Refusal { problem, ..refusal })
        }
        (Err(refusal), _) => Err(refusal),
    }
}

/// Whether the credential was good; `None` when nobody could say.
fn is_good(known: &Result<Known, Refusal>) -> Option<bool> {
    match known {
        Ok(Known { caller, .. }) => Some(!matches!(caller.credential, Credential::None)),
        Err(refusal) if refusal.identity.is_some() => Some(true),
        Err(refusal) => (refusal.problem.code == Code::Unauthorized).then_some(false),
    }
}

/// Gives a session that is in use its whole time again, once a day. `Some`: the cookie that must follow.
async fn prolong(app: &App, caller: &mut Caller, claims: &Claims) -> Option<header::HeaderValue> {
    let (Credential::Session(login), Some(token)) = (&mut caller.credential, &claims.cookie) else { return None };
    let expires_at = match auth::sign_in::prolong(&app.store, login).await {
        Ok(expires_at) => expires_at?,
        Err(error) => {
            // The session holds for days yet, and the next request tries again.
            tracing::warn!(%error, session.id = %login.session.id, "session {} was not prolonged", login.session.id);
            return None;
        }
    };
    login.expires_at = expires_at;
    login.session.expires_at = expires_at;
    let cookie = cookie::session(&app.options.app_url, &token.as_str().into(), auth::sign_in::SESSION_SECONDS);
    Some(cookie.parse().expect("a token that was found is base64url"))
}

/// The claims of a request that no route takes, if it brings a key and names an end-user.
pub(super) fn impersonation(app: &App, request: &Request) -> Option<Claims> {
    let (claims, _) = claims::claims(app, request, Source::Headers);
    claims.impersonate().then_some(claims)
}

/// Who makes these claims, rightly or not, as far as the log goes. `None`: no key of ours. Nothing is refused but for want of the database.
pub(super) async fn impersonator(app: &App, claims: &Claims) -> Result<Option<Caller>, Problem> {
    match identify(app, claims).await {
        Ok((caller, _)) => Ok(Some(caller)),
        Err(Refusal { impersonation: Some(impersonation), .. }) => Ok(Some(impersonation.caller)),
        Err(Refusal { problem, .. }) if problem.code.status() >= 500 => Err(problem),
        Err(_) => Ok(None),
    }
}
