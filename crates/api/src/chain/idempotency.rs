//! `Idempotency-Key`: a request that is sent again is answered, not repeated.
//!
//! The layer reads the header and lends the body out; [`crate::extract::Can`] claims the key as soon as the caller's permission is
//! checked, so that a replay needs the permission like the first request and everything behind it (the rest of the body, a
//! preflight, a write) does not happen twice. Writes keep their answer themselves, in their own transaction; a refusal that the same
//! request would meet again is kept here, wherever in the handler it arose.
//!
//! Callers without credentials have nobody whose repetition it could be: their keys are checked for form and not honored.

use std::sync::{Arc, Mutex, OnceLock};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Code;
use futures::{FutureExt as _, StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use store::{AppScope, Claim, Claimed, Draft, Earlier, IdempotencyKey, OrgScope, Store, StoreError};

use super::finish::CurrentRequest;
use crate::app::App;
use crate::extract::body::{self, MAX_FORM_BYTES, MAX_JSON_BYTES};
use crate::extract::caller::{Caller, Credential};
use crate::problem::{self, Problem};
use crate::versions::Version;
use crate::versions::edge::{self, InForm};

/// The request header.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// The response header, on every answer to an unsafe request.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest key, without quotes.
const MAX_KEY: usize = 255;

/// Marks a response that was given before.
#[derive(Clone, Copy, Debug)]
pub struct Replayed;

/// Whether the method changes something: its requests may carry a key, and its answers say whether they are replays.
pub fn is_unsafe(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
}

/// The key of the headers, without its quotes: a structured-field string (RFC 9651 §3.3.3) and the bare token are the same key.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let refused = |detail: &str| Problem::new(Code::InvalidIdempotencyKey, detail).param("Idempotency-Key");
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(refused("Idempotency-Key was sent twice."));
    }
    let text = value.to_str().map_err(|_| refused("Idempotency-Key holds something other than visible ASCII."))?;
    let key = match text.strip_prefix('"') {
        Some(rest) => {
            unquoted(rest).ok_or_else(|| refused("The quotes of Idempotency-Key do not close, or escape what needs no escape."))?
        }
        None => text.to_owned(),
    };
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(refused("Idempotency-Key must have 1 to 255 characters."));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused("Idempotency-Key holds a space or something other than visible ASCII."));
    }
    Ok(Some(key))
}

/// What stands before the closing quote, which must be the end.
fn unquoted(rest: &str) -> Option<String> {
    let (mut key, mut characters) = (String::new(), rest.chars());
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(key),
            '\\' => key.push(characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            character => key.push(character),
        }
    }
}

/// The scope that owns the record of a refusal: the narrowest that the caller named.
#[derive(Clone, Copy, Debug)]
enum Place {
    Platform,
    Organization(OrgScope),
    Application(AppScope),
}

impl Place {
    fn of(caller: &Caller) -> Self {
        match (&caller.app, &caller.org) {
            (Some(app), _) => Self::Application(*app),
            (None, Some(org)) => Self::Organization(org.scope),
            (None, None) => Self::Platform,
        }
    }

    async fn settle(self, store: &Store, claim: &Claim, answer: &Draft) -> Result<(), StoreError> {
        match self {
            Self::Platform => store.system().settle(claim, answer).await,
            Self::Organization(scope) => store.settle(&scope, claim, answer).await,
            Self::Application(scope) => store.settle(&scope, claim, answer).await,
        }
    }
}

/// A request with a key, in its extensions.
#[derive(Clone)]
pub struct Keyed(Arc<Held>);

struct Held {
    key: String,
    /// How much of the body is read for the fingerprint, in bytes.
    limit: usize,
    body: Mutex<Lent>,
    claim: OnceLock<(Place, Claim)>,
}

/// The body, on its way from the layer to the handler.
enum Lent {
    Unread(Body),
    Read(Bytes),
    Gone,
}

impl Keyed {
    fn new(key: String, headers: &HeaderMap, body: Body) -> Self {
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_form = media_type.trim_start().to_ascii_lowercase().starts_with("multipart/");
        let limit = if is_form { MAX_FORM_BYTES } else { MAX_JSON_BYTES };
        Self(Arc::new(Held { key, limit, body: Mutex::new(Lent::Unread(body)), claim: OnceLock::new() }))
    }

    fn take(&self) -> Lent {
        std::mem::replace(&mut *self.0.body.lock().expect("nothing panics while it holds the body"), Lent::Gone)
    }

    fn put(&self, body: Lent) {
        *self.0.body.lock().expect("nothing panics while it holds the body") = body;
    }

    /// The body as the handler reads it: from memory once it was read for the fingerprint, otherwise as it comes.
    fn handed_on(&self) -> Body {
        let keyed = self.clone();
        let body = async move {
            match keyed.take() {
                Lent::Unread(body) => body.into_data_stream().boxed(),
                Lent::Read(bytes) => stream::once(async { Ok(bytes) }).boxed(),
                Lent::Gone => stream::empty().boxed(),
            }
        };
        Body::from_stream(body.flatten_stream())
    }

    /// Claims the key for the caller.
    ///
    /// # Errors
    /// [`Stopped`] when there is an answer already, or none to be had now.
    pub async fn claim(&self, parts: &Parts, caller: &Caller, app: &App) -> Result<Option<Claim>, Stopped> {
        let principal = match (&caller.credential, caller.end_user) {
            (Credential::None, _) => return Ok(None),
            (Credential::Session(login), _) => login.user.id.to_string(),
            (Credential::Key(login), None) => login.key.to_string(),
            (Credential::Key(login), Some(end_user)) => format!("{}/{end_user}", login.key),
        };
        let bytes = match self.take() {
            Lent::Unread(body) => body::read(body, self.0.limit).await?,
            read => {
                self.put(read);
                return Ok(self.0.claim.get().map(|(_, claim)| claim.clone()));
            }
        };
        let version = *parts.extensions.get::<Version>().expect("the chain resolves the version of every request");
        let key = IdempotencyKey {
            key: self.0.key.clone(),
            org: caller.org.as_ref().map(|org| org.scope.org()),
            app: caller.app.map(|app| app.app()),
            principal,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            fingerprint: fingerprint(parts.uri.query().unwrap_or_default(), version, &bytes),
        };
        self.put(Lent::Read(bytes));
        match app.store.claim(&key).await? {
            Claimed::Fresh(claim) => {
                self.0.claim.get_or_init(|| (Place::of(caller), claim.clone()));
                Ok(Some(claim))
            }
            Claimed::Earlier(Earlier::Answered(draft)) => Err(Stopped::Replayed(draft)),
            Claimed::Earlier(earlier) => Err(Problem::from(earlier).into()),
        }
    }
}

/// SHA-256 of query, version and body, each with its length in front.
fn fingerprint(query: &str, version: Version, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [query.as_bytes(), version.as_str().as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl From<Earlier> for Problem {
    fn from(earlier: Earlier) -> Self {
        match earlier {
            // Another node was a moment faster; the next repetition is its replay.
            Earlier::InFlight | Earlier::Answered(_) => {
                Self::new(Code::IdempotencyInProgress, "A request with this Idempotency-Key is being processed.").retry_after(1)
            }
            Earlier::Mismatch => Self::new(Code::IdempotencyConflict, "The Idempotency-Key was used with another query, version or body.")
                .param("Idempotency-Key"),
            Earlier::OutcomeUnknown => Self::new(
                Code::OutcomeUnknown,
                "The first request with this Idempotency-Key was cut off while another service was being called.",
            ),
        }
    }
}

/// Why a handler is not reached.
#[derive(Debug)]
pub enum Stopped {
    Refused(Problem),
    /// It was, earlier: the answer from then.
    Replayed(Draft),
}

impl<E: Into<Problem>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl IntoResponse for Stopped {
    fn into_response(self) -> Response {
        let Draft { status, body, location } = match self {
            Self::Refused(problem) => return problem.into_response(),
            Self::Replayed(draft) => draft,
        };
        let media_type = if status >= 400 { problem::MEDIA_TYPE } else { "application/json" };
        let has_body = body.is_some();
        let mut response = Response::new(body.map_or_else(Body::empty, Body::from));
        *response.status_mut() = StatusCode::from_u16(status).expect("answers hold valid statuses");
        if has_body {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, HeaderValue::try_from(location).expect("kept from a header"));
        }
        response.extensions_mut().insert(Replayed);
        response.extensions_mut().insert(InForm);
        response
    }
}

/// Checks the key, lends the body out, and keeps a refusal that no write has kept.
pub async fn idempotency(State(app): State<App>, request: Request, next: Next) -> Response {
    if !is_unsafe(request.method()) {
        return next.run(request).await;
    }
    let key = match key(request.headers()) {
        Ok(Some(key)) => key,
        Ok(None) => return next.run(request).await,
        Err(problem) => return problem.into_response(),
    };
    let (mut parts, body) = request.into_parts();
    let keyed = Keyed::new(key, &parts.headers, body);
    let path = parts.uri.path().to_owned();
    let id = parts.extensions.get::<CurrentRequest>().expect("the outermost layer names every request").0;
    let version = *parts.extensions.get::<Version>().expect("the chain resolves the version of every request");
    parts.extensions.insert(keyed.clone());
    let response = next.run(Request::from_parts(parts, keyed.handed_on())).await;
    if let Some((place, claim)) = keyed.0.claim.get() {
        let problem = response.extensions().get::<Problem>();
        let body = problem.map(|problem| edge::problem(version, problem.body(&path, &id.to_string())));
        let answer = Draft { status: response.status().as_u16(), body, location: None };
        if let Err(error) = place.settle(&app.store, claim, &answer).await {
            // Nothing was done that a repetition could double; it is refused anew instead of with the same words.
            tracing::warn!(%error, request.id = %id, "the refusal of a request with an idempotency key could not be kept");
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> Result<Option<String>, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(value).expect("a header value"));
        key(&headers).map_err(|problem| problem.code)
    }

    #[test]
    fn bare_and_quoted_are_the_same_key() {
        for same in ["8e03978e-40d5", "\"8e03978e-40d5\""] {
            assert_eq!(read(same.as_bytes()), Ok(Some("8e03978e-40d5".to_owned())));
        }
        assert_eq!(read(br#""a\"b\\c""#), Ok(Some(r#"a"b\c"#.to_owned())));
        assert_eq!(read(br#"a"b\c"#), Ok(Some(r#"a"b\c"#.to_owned())));
        let longest = "k".repeat(255);
        assert_eq!(read(longest.as_bytes()), Ok(Some(longest.clone())));
        assert_eq!(read(format!("\"{longest}\"").as_bytes()), Ok(Some(longest)));
        assert_eq!(key(&HeaderMap::new()).map_err(|problem| problem.code), Ok(None));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let (long, quoted) = ("k".repeat(256), format!("\"{}\"", "k".repeat(256)));
        for bad in
            ["", "\"\"", "\"", "\"a", "a b", "\"a b\"", "a, b", "\"a\" ", "\"a\";p=1", "\"a\\x\"", "\"a\\\"", "a\tb", "ü", &long, &quoted]
        {
            assert_eq!(read(bad.as_bytes()), Err(Code::InvalidIdempotencyKey), "{bad:?}");
        }
        assert_eq!(read(b"\xff"), Err(Code::InvalidIdempotencyKey));
        let mut twice = HeaderMap::new();
        twice.append(HEADER, HeaderValue::from_static("a"));
        twice.append(HEADER, HeaderValue::from_static("a"));
        assert_eq!(key(&twice).map_err(|problem| problem.code), Err(Code::InvalidIdempotencyKey));
    }

    #[test]
    fn query_version_and_body_make_the_fingerprint() {
        let (old, new) = (crate::versions::DEFAULT, Version::newest());
        let all = [
            fingerprint("", old, b"{}"),
            fingerprint("a=1", old, b"{}"),
            fingerprint("", new, b"{}"),
            fingerprint("", old, b"{} "),
            fingerprint("{}", old, b""),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one), "{at}");
        }
    }
}
