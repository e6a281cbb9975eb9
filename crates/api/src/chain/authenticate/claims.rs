//! What a request says about its caller: read from its headers and, for a stream, its query. Nothing of it is believed yet.

use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use axum_extra::extract::CookieJar;
use domain::{Code, EndUserId};
use store::TicketMaker;

use super::origin;
use crate::app::App;
use crate::chain::version::{self, Version};
use crate::cookie;
use crate::problem::Problem;

/// Stands for what can be no id: it matches none.
const NO_ID: &str = "\u{fffd}";

/// Where a credential may stand besides the headers: the query of a stream (`?ticket=`, `?token=`, `?endUser=`, `?orgId=`,
/// `?appId=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Headers,
    HeadersAndQuery,
}

impl Source {
    pub(super) fn of(request: &Request) -> Self {
        let is_stream = request.uri().path().starts_with("/api/realtime/") && matches!(*request.method(), Method::GET | Method::HEAD);
        if is_stream { Self::HeadersAndQuery } else { Self::Headers }
    }
}

/// What a request says about its caller.
#[derive(Default)]
pub(in crate::chain) struct Claims {
    /// Empty where the header holds what can be no key.
    pub(super) bearer: Option<String>,
    pub(super) cookie: Option<String>,
    pub(super) ticket: Option<String>,
    /// Whose ticket was taken. From then on its maker's credential counts, by its id.
    pub(super) maker: Option<TicketMaker>,
    pub(super) org: Option<String>,
    pub(super) app: Option<String>,
    pub(super) end_user: Option<String>,
    /// Whom the request names as its end-user beside a ticket that says something else.
    pub(super) beside: Option<String>,
}

impl Claims {
    pub(in crate::chain) fn credential(&self) -> Option<&str> {
        self.ticket.as_deref().or(self.bearer.as_deref()).or(self.cookie.as_deref())
    }

    /// Whether a key wants to act as an end-user.
    pub(super) fn impersonate(&self) -> bool {
        self.bearer.is_some() && self.end_user.is_some()
    }

    /// Whom the caller wants to act as, if it is an id.
    pub(super) fn end_user_id(&self) -> Option<EndUserId> {
        self.end_user.as_ref()?.parse().ok()
    }

    /// The end-user who is named, if it is an id. Whatever else stood there may be anything.
    pub(super) fn named(&self) -> Option<EndUserId> {
        self.beside.as_ref().or(self.end_user.as_ref())?.parse().ok()
    }
}

/// What a request asks for.
pub(in crate::chain) struct Asked {
    pub(super) claims: Claims,
    /// The version that its header names.
    pub(super) version: Option<Version>,
    /// What is wrong with the request itself. It is told once the caller is known: a bad key comes first, and whoever has a good one
    /// pays for the refusal and has it in the log.
    pub(super) wrong: Option<Problem>,
}

impl Asked {
    /// The body cannot be shared between threads; what the request claims is taken from it before anything is awaited.
    pub(super) fn of(app: &App, request: &Request) -> Self {
        let (claims, mut wrong) = claims(app, request, Source::of(request));
        // Also without a cookie: another site must not sign its visitors in here as somebody else.
        if claims.bearer.is_none() {
            wrong = wrong.or_else(|| origin::check(app, request).err());
        }
        match version::requested(request.headers()) {
            Ok(version) => Self { claims, version, wrong },
            Err(problem) => Self { claims, version: None, wrong: wrong.or(Some(problem)) },
        }
    }
}

/// The claims, and what is wrong with them. What was sent twice is refused in any case. Meanwhile the first of two credentials says who
/// calls, of two organizations or applications none does, and two end-users are none.
pub(super) fn claims(app: &App, request: &Request, source: Source) -> (Claims, Option<Problem>) {
    let headers = request.headers();
    let jar = CookieJar::from_headers(headers);
    let mut doubled = None;
    let mut one = |name: &str, shown: &'static str| {
        let (value, is_doubled) = first(headers, name);
        doubled = doubled.or(is_doubled.then_some(shown));
        if is_doubled && name != "authorization" { unclear(shown) } else { value }
    };
    let bearer = one("authorization", "Authorization").map(|value| bearer(&value));
    let (org, named, end_user) = (one("x-org-id", "X-Org-Id"), one("x-app-id", "X-App-Id"), one("appstrate-user", "Appstrate-User"));
    let cookie = cookie::token(&jar, &app.options.app_url);
    let mut claims = Claims { bearer, cookie, org, app: named, end_user, ..Claims::default() };
    if source == Source::HeadersAndQuery {
        for (name, value) in url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
            let (slot, shown) = match &*name {
                "ticket" => (&mut claims.ticket, "ticket"),
                "token" => (&mut claims.bearer, "token"),
                "endUser" => (&mut claims.end_user, "endUser"),
                "orgId" => (&mut claims.org, "orgId"),
                "appId" => (&mut claims.app, "appId"),
                _ => continue,
            };
            if slot.is_none() {
                *slot = Some(value.into_owned());
            } else {
                doubled = doubled.or(Some(shown));
                if !matches!(shown, "ticket" | "token") {
                    *slot = unclear(shown);
                }
            }
        }
    }
    let mut wrong = doubled.map(|name| Problem::new(Code::InvalidRequest, format!("{name} was sent twice.")).param(name));
    if claims.ticket.is_some() && claims.bearer.take().is_some() {
        wrong = wrong.or_else(|| Some(Problem::new(Code::InvalidRequest, "Send a ticket or a key, not both.").param("ticket")));
    }
    (claims, wrong)
}

/// What counts of a claim that was sent twice.
fn unclear(shown: &str) -> Option<String> {
    matches!(shown, "Appstrate-User" | "endUser").then(|| NO_ID.to_owned())
}

/// The header's first value, and whether there are others.
fn first(headers: &HeaderMap, name: &str) -> (Option<String>, bool) {
    let mut values = headers.get_all(name).iter();
    // What is not text cannot be an id or a key; keep it as something that matches none.
    let value = values.next().map(|value| value.to_str().unwrap_or(NO_ID).to_owned());
    (value, values.next().is_some())
}

/// The key of an `Authorization` header; empty where it holds none.
fn bearer(value: &str) -> String {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("bearer") { token.to_owned() } else { String::new() }
}
