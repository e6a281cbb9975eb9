//! Finds out who calls: one look-up of the credential, then organization, application and end-user from the headers.
//!
//! A wrong key is final, also beside a right cookie. What is decided here holds for this request only: nothing is cached
//! past a revocation.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use domain::{AppId, Code, EndUserId, OrgId, Permission, PermissionSet};
use store::{AppScope, Audit, KeyLogin, SessionLogin, TicketMaker};

use super::audit;
use super::rate_limit::Identity;
use super::rate_limit::attempt::Attempt;
use super::version::{self, Version};
use crate::app::App;
use crate::cookie;
use crate::extract::caller::{Caller, CallerOrg, Credential};
use crate::problem::Problem;

/// Where a credential may stand besides the headers: the query of a stream (`?ticket=`, `?token=`, `?endUser=`, `?orgId=`,
/// `?appId=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Headers,
    HeadersAndQuery,
}

/// What a request says about its caller, not yet believed.
#[derive(Default)]
pub(super) struct Claims {
    bearer: Option<String>,
    cookie: Option<String>,
    ticket: Option<String>,
    /// Whose ticket was taken. From then on its maker's credential counts, by its id.
    maker: Option<TicketMaker>,
    org: Option<String>,
    app: Option<String>,
    end_user: Option<String>,
}

impl Claims {
    pub(super) fn credential(&self) -> Option<&str> {
        self.ticket.as_deref().or(self.bearer.as_deref()).or(self.cookie.as_deref())
    }
}

/// The claims of a request, kept by a stream to ask again whether they still hold. The credential in it never prints.
#[derive(Clone)]
pub struct Standing {
    claims: Arc<Claims>,
    scope: Option<AppScope>,
}

impl Standing {
    /// Whether the same claims still lead to the same application and reach. A database that does not answer counts as yes: a
    /// stream outlives a restart of the database, and the next question comes soon.
    pub async fn holds(&self, app: &App) -> bool {
        match identify(app, &self.claims, Ok(None)).await {
            Ok((caller, _)) => caller.app == self.scope && caller.permissions.contains(Permission::RunsRead),
            Err(refusal) => refusal.problem.code == Code::Unavailable,
        }
    }
}

/// Puts the [`Caller`] and the [`Version`] into the request, or answers with the refusal.
pub async fn authenticate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let is_stream = request.uri().path().starts_with("/api/realtime/") && matches!(*request.method(), Method::GET | Method::HEAD);
    let source = if is_stream { Source::HeadersAndQuery } else { Source::Headers };
    // The body cannot be shared between threads; what the request claims is taken from it before anything is awaited.
    let (claims, requested) = match read(&app, &request, source) {
        Ok(read) => read,
        Err(problem) => return problem.into_response(),
    };
    let attempt = Attempt::of(&request, claims.credential());
    if let Err(refused) = attempt.admit(&app) {
        return refused.into_response();
    }
    let identified = match redeem(&app, claims).await {
        Ok(claims) => identify(&app, &claims, requested).await.map(|identified| (claims, identified)),
        Err(problem) => Err(problem.into()),
    };
    attempt.settle(&app, is_good(&identified));
    let (claims, (mut caller, version)) = match identified {
        Ok(identified) => identified,
        Err(refusal) => return refuse(&app, request, &attempt, refusal).await,
    };
    let prolonged = prolong(&app, &mut caller, &claims).await;
    if source == Source::HeadersAndQuery {
        request.extensions_mut().insert(Standing { claims: Arc::new(claims), scope: caller.app });
    }
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(version);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(version);
    if let Some(cookie) = prolonged {
        // A handler that sets the cookie itself has ended or replaced the session.
        response.headers_mut().entry(header::SET_COOKIE).or_insert(cookie);
    }
    response
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

/// A request that goes no further.
struct Refusal {
    problem: Problem,
    /// `None`: nobody of ours wanted to act as an end-user.
    impersonation: Option<Box<Impersonation>>,
    /// Who is refused, where the credential was good.
    identity: Option<Identity>,
}

impl Refusal {
    fn of(self, identity: Identity) -> Self {
        Self { identity: Some(identity), ..self }
    }
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self { problem: error.into(), impersonation: None, identity: None }
    }
}

/// Whether the credential was good; `None` when nobody could say.
fn is_good(identified: &Result<(Claims, (Caller, Version)), Refusal>) -> Option<bool> {
    match identified {
        Ok((_, (caller, _))) => Some(!matches!(caller.credential, Credential::None)),
        Err(refusal) if refusal.identity.is_some() => Some(true),
        Err(refusal) => (refusal.problem.code == Code::Unauthorized).then_some(false),
    }
}

/// Answers a request that goes no further; one of somebody known counts like any other.
async fn refuse(app: &App, request: Request, attempt: &Attempt, refusal: Refusal) -> Response {
    let Refusal { problem, impersonation, identity } = refusal;
    let (mut response, told) = match &identity {
        Some(identity) => match attempt.count(app, identity).await {
            Ok(told) => (problem.into_response(), told),
            Err(refused) => (refused.into_response(), None),
        },
        None => (problem.into_response(), None),
    };
    if let Some(impersonation) = impersonation {
        let (parts, _) = request.into_parts();
        let Impersonation { caller, claimed } = *impersonation;
        let audit = claimed.map(|id| Audit::detail(serde_json::json!({ "claimedEndUserId": id })));
        response = audit::record(app, parts, &caller, ("", audit), response).await;
    }
    if let Some(told) = told {
        response.extensions_mut().insert(told);
    }
    response
}

/// A call as an end-user that goes no further: the log keeps it.
struct Impersonation {
    caller: Caller,
    /// Who was named but is no end-user of the application. An id is told; whatever else stood in the header may be anything.
    claimed: Option<EndUserId>,
}

impl Impersonation {
    /// A key whose end-user is not, or not yet, found: the application's own caller, as far as the log goes.
    fn of_key(login: KeyLogin, claims: &Claims) -> Option<Box<Self>> {
        let claimed = claims.end_user.as_ref()?.parse().ok();
        let caller = Caller { app: Some(login.app_scope()), credential: Credential::Key(Box::new(login)), ..Caller::anonymous() };
        Some(Box::new(Self { caller, claimed }))
    }
}

/// The claims of a request that no route takes, if it brings a key and names an end-user.
pub(super) fn impersonation(app: &App, request: &Request) -> Option<Claims> {
    claims(app, request, Source::Headers).ok().filter(|claims| claims.bearer.is_some() && claims.end_user.is_some())
}

/// Who makes these claims, rightly or not, as far as the log goes. `None`: no key of ours. Nothing is refused but for want of the database.
pub(super) async fn impersonator(app: &App, claims: &Claims) -> Result<Option<Caller>, Problem> {
    match identify(app, claims, Ok(None)).await {
        Ok((caller, _)) => Ok(Some(caller)),
        Err(Refusal { impersonation: Some(impersonation), .. }) => Ok(Some(impersonation.caller)),
        Err(Refusal { problem, .. }) if problem.code.status() >= 500 => Err(problem),
        Err(_) => Ok(None),
    }
}

/// What the request asks for; a version that does not exist is refused once the caller is known.
type Requested = Result<Option<Version>, Problem>;

fn read(app: &App, request: &Request, source: Source) -> Result<(Claims, Requested), Problem> {
    let claims = claims(app, request, source)?;
    // Also without a cookie: another site must not sign its visitors in here as somebody else.
    if claims.bearer.is_none() {
        same_origin(app, request)?;
    }
    let requested = version::requested(request.headers());
    // Only the log needs to know who asked for it.
    if claims.end_user.is_none() { requested.map(|requested| (claims, Ok(requested))) } else { Ok((claims, requested)) }
}

async fn identify(app: &App, claims: &Claims, requested: Requested) -> Result<(Caller, Version), Refusal> {
    let system = app.store.system();
    let (caller, pinned) = match (claims.maker, &claims.bearer, &claims.cookie) {
        (Some(TicketMaker::Key(id)), _, _) => with_key(app, system.key_by_id(id).await?, claims).await?,
        (Some(TicketMaker::Session(id)), _, _) => with_session(app, system.session_by_id(id).await?, claims).await?,
        (None, Some(bearer), _) => with_key(app, system.key_by_hash(&auth::token::hash(bearer)).await?, claims).await?,
        (None, None, Some(cookie)) => with_session(app, system.session_by_hash(&auth::token::hash(cookie)).await?, claims).await?,
        (None, None, None) => (Caller::anonymous(), None),
    };
    let requested = requested.map_err(|problem| {
        let is_impersonated = caller.end_user.is_some();
        let impersonation = is_impersonated.then(|| Box::new(Impersonation { caller: caller.clone(), claimed: None }));
        let identity = Identity::of(&caller);
        Refusal { problem, impersonation, identity }
    })?;
    // A pin is validated when it is set; should a release be withdrawn, the default speaks.
    let version = requested.or_else(|| pinned.as_deref().and_then(Version::released)).unwrap_or(version::DEFAULT);
    Ok((caller, version))
}

fn claims(app: &App, request: &Request, source: Source) -> Result<Claims, Problem> {
    let headers = request.headers();
    let jar = CookieJar::from_headers(headers);
    let mut claims = Claims {
        bearer: one(headers, "authorization", "Authorization")?.map(|value| bearer(&value)).transpose()?,
        cookie: cookie::token(&jar, &app.options.app_url),
        ticket: None,
        maker: None,
        org: one(headers, "x-org-id", "X-Org-Id")?,
        app: one(headers, "x-app-id", "X-App-Id")?,
        end_user: one(headers, "appstrate-user", "Appstrate-User")?,
    };
    if source == Source::HeadersAndQuery {
        for (name, value) in url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
            let (slot, header) = match &*name {
                "ticket" => (&mut claims.ticket, "ticket"),
                "token" => (&mut claims.bearer, "token"),
                "endUser" => (&mut claims.end_user, "endUser"),
                "orgId" => (&mut claims.org, "orgId"),
                "appId" => (&mut claims.app, "appId"),
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(twice(header));
            }
        }
    }
    if claims.ticket.is_some() && claims.bearer.is_some() {
        return Err(Problem::new(Code::InvalidRequest, "Send a ticket or a key, not both.").param("ticket"));
    }
    Ok(claims)
}

/// Takes the request's ticket, if it has one: it works once. What it stands for replaces every other claim; one that says something
/// else is refused. A browser sends its cookie along in any case, so that is passed over.
async fn redeem(app: &App, claims: Claims) -> Result<Claims, Problem> {
    let Some(ticket) = &claims.ticket else { return Ok(claims) };
    let unknown = || Problem::new(Code::Unauthorized, "The ticket is unknown, was used before, or has expired. Make a new one.");
    let taken = app.store.system().take_stream_ticket(&auth::token::hash(ticket)).await?.ok_or_else(unknown)?;
    let (org, app, end_user) = (Some(taken.org.to_string()), Some(taken.app.to_string()), taken.end_user.map(|id| id.to_string()));
    let held = [(&claims.org, &org, "X-Org-Id"), (&claims.app, &app, "X-App-Id"), (&claims.end_user, &end_user, "Appstrate-User")];
    for (claimed, held, name) in held {
        if claimed.is_some() && claimed != held {
            return Err(Problem::new(Code::Forbidden, format!("The ticket was made for another {name}.")).param(name));
        }
    }
    Ok(Claims { maker: Some(taken.maker), org, app, end_user, ..Claims::default() })
}

fn twice(name: &str) -> Problem {
    Problem::new(Code::InvalidRequest, format!("{name} was sent twice.")).param(name)
}

/// The header's only value. Twice is an error, not a choice.
fn one(headers: &HeaderMap, name: &str, shown: &str) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(twice(shown));
    }
    // What is not text cannot be an id or a key; keep it as something that matches none.
    Ok(Some(value.to_str().unwrap_or("\u{fffd}").to_owned()))
}

fn unknown_credential() -> Problem {
    Problem::new(Code::Unauthorized, "The credential is unknown, expired or revoked.")
}

fn bearer(value: &str) -> Result<String, Problem> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("bearer") && token.starts_with(auth::token::KEY_PREFIX) {
        Ok(token.to_owned())
    } else {
        Err(unknown_credential())
    }
}

async fn with_key(app: &App, login: Option<KeyLogin>, claims: &Claims) -> Result<(Caller, Option<String>), Refusal> {
    let login = login.ok_or_else(unknown_credential)?;
    let identity = Identity::key(&login);
    as_key(app, login, claims).await.map_err(|refusal| refusal.of(identity))
}

async fn as_key(app: &App, login: KeyLogin, claims: &Claims) -> Result<(Caller, Option<String>), Refusal> {
    let refused = |problem: Problem| Refusal { impersonation: Impersonation::of_key(login.clone(), claims), ..problem.into() };
    if claims.org.as_ref().is_some_and(|org| *org != login.org.to_string()) {
        return Err(refused(Problem::new(Code::Forbidden, "The key belongs to another organization.").param("X-Org-Id")));
    }
    if claims.app.as_ref().is_some_and(|claimed| *claimed != login.app.to_string()) {
        return Err(refused(Problem::new(Code::Forbidden, "The key belongs to another application.").param("X-App-Id")));
    }
    let permissions = key_permissions(&login);
    let (scope, end_user, permissions) = match &claims.end_user {
        None => (login.app_scope(), None, permissions),
        Some(claimed) => {
            // Malformed, unknown, foreign and deleted are one answer.
            let scope = match EndUserId::from_str(claimed) {
                Ok(id) => app.store.system().end_user_scope(&login, id).await?.map(|scope| (scope, id)),
                Err(_) => None,
            };
            let Some((scope, id)) = scope else {
                let problem = Problem::new(Code::InvalidEndUser, "Appstrate-User names no end-user of this application.");
                return Err(refused(problem.param("Appstrate-User")));
            };
            (scope, Some(id), permissions.intersection(PermissionSet::end_user()))
        }
    };
    app.store.system().key_used(login.key);
    let org = CallerOrg { scope: login.org_scope(), role: login.role, user: login.creator };
    let pinned = login.pinned_version.clone();
    let caller = Caller { credential: Credential::Key(Box::new(login)), org: Some(org), app: Some(scope), end_user, permissions };
    Ok((caller, pinned))
}

/// role of the creator now ∩ scopes of the key.
fn key_permissions(login: &KeyLogin) -> PermissionSet {
    let named: PermissionSet = login.scopes.iter().filter_map(|scope| Permission::parse(scope)).collect();
    named.intersection(PermissionSet::grantable_to_key(login.role))
}

async fn with_session(app: &App, login: Option<SessionLogin>, claims: &Claims) -> Result<(Caller, Option<String>), Refusal> {
    let Some(login) = login else {
        // A browser cannot drop the cookie of a session that ended elsewhere: it must still be able to sign in. Where a credential
        // is needed, nobody is refused all the same.
        return Ok((Caller::anonymous(), None));
    };
    let identity = Identity::user(&login, None);
    as_user(app, login, claims).await.map_err(|problem| Refusal::from(problem).of(identity))
}

async fn as_user(app: &App, login: SessionLogin, claims: &Claims) -> Result<(Caller, Option<String>), Problem> {
    if claims.end_user.is_some() {
        return Err(Problem::new(Code::HeaderNotAllowed, "Appstrate-User works with API keys only.").param("Appstrate-User"));
    }
    let mut caller = Caller::anonymous();
    let mut pinned = None;
    if let Some(claimed) = &claims.org {
        let refused = || Problem::new(Code::Forbidden, "You are not a member of this organization.").param("X-Org-Id");
        let id = OrgId::from_str(claimed).map_err(|_| refused())?;
        let membership = app.store.system().membership(&login, id).await?.ok_or_else(refused)?;
        caller.permissions = PermissionSet::of_role(membership.role);
        pinned = membership.pinned_version;
        if let Some(claimed) = &claims.app {
            let scope = match AppId::from_str(claimed) {
                Ok(id) => app.store.system().application_scope(&membership.scope, id, &login).await?,
                Err(_) => None,
            };
            caller.app = Some(scope.ok_or_else(|| Problem::new(Code::NotFound, "No such application.").param("X-App-Id"))?);
        }
        caller.org = Some(CallerOrg { scope: membership.scope, role: membership.role, user: login.user.id });
    }
    caller.credential = Credential::Session(Box::new(login));
    Ok((caller, pinned))
}

/// Refuses an unsafe request that a browser sends for another site. `SameSite=Lax` is the first lock, this the second.
///
/// Browsers say where a request comes from: in `Origin`, or where they leave that out in `Sec-Fetch-Site`, which no page can set.
/// Whoever sends neither is no browser, and carries no cookie that it was not given on purpose.
fn same_origin(app: &App, request: &Request) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let refused = |param| Err(Problem::new(Code::Forbidden, "The request comes from a site that may not use this server.").param(param));
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) if is_trusted(app, origin.to_str().unwrap_or_default()) => Ok(()),
        (Some(_), _) => refused("Origin"),
        (None, _) => match request.headers().get("sec-fetch-site").map(header::HeaderValue::as_bytes) {
            None | Some(b"same-origin" | b"none") => Ok(()),
            Some(_) => refused("Sec-Fetch-Site"),
        },
    }
}

fn is_trusted(app: &App, origin: &str) -> bool {
    origin == app.options.app_url.origin().ascii_serialization() || app.options.trusted_origins.iter().any(|trusted| trusted == origin)
}
