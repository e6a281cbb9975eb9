//! A response, read and checked against what holds for all of them.

use api::versions::Version;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Response};
use http_body_util::BodyExt as _;
use serde_json::Value;
use sfv::{BareItem, Item, List, ListEntry, Parser};

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    what: String,
}

/// What a reply tells of rate limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    /// Seconds.
    pub(crate) reset: u64,
    /// Seconds.
    pub(crate) window: u64,
}

impl Reply {
    /// # Panics
    /// When the response lacks what no response may lack: request id, version, rate limits, and for an error the whole problem document.
    pub(crate) async fn read(method: Method, path: String, response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let reply = Self { status: parts.status.as_u16(), headers: parts.headers, text, what: format!("{method} {path}") };
        reply.check(&method, &path);
        reply
    }

    fn check(&self, method: &Method, path: &str) {
        let id = self.header("request-id").unwrap_or_else(|| panic!("no Request-Id: {self}"));
        assert!(id.parse::<domain::RequestId>().is_ok(), "Request-Id {id:?}: {self}");
        assert_eq!(self.headers.get_all("request-id").iter().count(), 1, "{self}");
        let version = self.header("appstrate-version").unwrap_or_else(|| panic!("no Appstrate-Version: {self}"));
        assert!(Version::released(version).is_some(), "{version}: {self}");
        let is_unsafe = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
        let says = self.header("idempotent-replayed").is_some_and(|value| value == "true" || value == "false");
        assert_eq!(says, is_unsafe, "Idempotent-Replayed: {self}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{self}");
        assert!(self.headers.contains_key("cache-control"), "{self}");
        self.check_limits(method);
        // The health of a server that is not ready is a 503 with the usual answer: those who probe read the status.
        if self.status >= 400 && method != Method::HEAD && path != "/health" {
            self.check_problem(id, path);
        }
        if self.status == 204 {
            assert_eq!(self.text, "", "{self}");
        }
        if self.status == 201 && path.starts_with("/api/") && !path.starts_with("/api/auth/") {
            assert!(self.header("location").is_some_and(|location| location.starts_with("/api/")), "201 without Location: {self}");
        }
    }

    /// What every response tells of rate limits is there and fits together.
    fn check_limits(&self, method: &Method) {
        let budget = self.budget();
        assert!(budget.remaining <= budget.limit && budget.reset <= budget.window, "{budget:?}: {self}");
        if self.status == 429 {
            let wait: u64 = self.header("retry-after").unwrap_or_else(|| panic!("no Retry-After: {self}")).parse().unwrap();
            if method != Method::HEAD {
                assert_eq!(self.at("/retryAfter"), wait, "{self}");
            }
            if method == Method::HEAD || self.at("/code") == "rate_limited" {
                assert!(budget.remaining == 0 && wait >= budget.reset, "{budget:?}: {self}");
            }
        }
    }

    /// What `RateLimit` and `RateLimit-Policy` tell.
    pub(crate) fn budget(&self) -> Budget {
        let header = |name: &str| self.header(name).unwrap_or_else(|| panic!("no {name}: {self}"));
        let number = |text: &str, before: &str| text.strip_prefix(before).and_then(|number| number.parse().ok());
        let parts: Vec<_> = header("ratelimit").split(", ").collect();
        let read = || match parts.as_slice() {
            [limit, remaining, reset] => Some(Budget {
                limit: number(limit, "limit=")?,
                remaining: number(remaining, "remaining=")?,
                reset: number(reset, "reset=")?,
                window: number(header("ratelimit-policy"), &format!("{};w=", limit.strip_prefix("limit=")?))?,
            }),
            _ => None,
        };
        let told = if self.header("appstrate-version") < Some("2026-11-21") { read() } else { self.structured() };
        told.unwrap_or_else(|| panic!("{:?}, {:?}: {self}", header("ratelimit"), header("ratelimit-policy")))
    }

    /// The same from structured fields, as a parser reads them that is not ours. So it reads the other headers that such a client sees.
    fn structured(&self) -> Option<Budget> {
        for name in ["retry-after", "idempotent-replayed"] {
            if let Some(value) = self.header(name) {
                Parser::new(value).parse::<Item>().unwrap_or_else(|error| panic!("{name}: {error}: {self}"));
            }
        }
        let (limit, policy) = (self.only("ratelimit")?, self.only("ratelimit-policy")?);
        if limit.bare_item != policy.bare_item {
            return None;
        }
        let (limit, policy) = (limit.params, policy.params);
        let number = |value: Option<&BareItem>| u64::try_from(i64::from(value?.as_integer()?)).ok();
        Some(Budget {
            limit: number(policy.get("q"))?,
            remaining: number(limit.get("r"))?,
            reset: number(limit.get("t"))?,
            window: number(policy.get("w"))?,
        })
    }

    /// The only member of a list of structured fields, which is a text with parameters.
    fn only(&self, name: &str) -> Option<Item> {
        match Parser::new(self.header(name)?).parse::<List>().ok()?.as_slice() {
            [ListEntry::Item(item)] if item.bare_item.as_string().is_some() => Some(item.clone()),
            _ => None,
        }
    }

    /// The name of the policy that `RateLimit` tells of; `None` before it was a structured field.
    pub(crate) fn policy(&self) -> Option<String> {
        let item = (self.header("appstrate-version") >= Some("2026-11-21")).then(|| self.only("ratelimit")).flatten()?;
        item.bare_item.as_string().map(|name| name.as_str().to_owned())
    }

    fn check_problem(&self, id: &str, path: &str) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self}");
        let problem = self.json();
        let code = problem["code"].as_str().unwrap_or_else(|| panic!("no code: {self}"));
        let known = domain::Code::ALL.iter().find(|known| known.as_str() == code).unwrap_or_else(|| panic!("not in the catalogue: {self}"));
        assert_eq!(problem["type"], format!("https://appstrate.dev/errors/{}", known.slug()), "{self}");
        assert_eq!(problem["title"], known.title(), "{self}");
        assert_eq!(problem["status"], self.status, "{self}");
        assert_eq!(known.status(), self.status, "{self}");
        assert_eq!(problem["instance"], path, "{self}");
        if self.header("idempotent-replayed") == Some("true") {
            // The words of the first answer, with its id.
            assert_ne!(problem["requestId"], id, "{self}");
        } else {
            assert_eq!(problem["requestId"], id, "{self}");
        }
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{self}");
        let told = self.text.to_lowercase();
        for internal in ["select ", "insert into", "sqlite", "postgres", "panicked", "/root/", "src/", ".rs:"] {
            assert!(!told.contains(internal), "tells of its inside ({internal}): {self}");
        }
    }

    /// Requires that a version that was asked for is the one that answers.
    #[track_caller]
    pub(crate) fn speaks(self, asked: Option<Version>) -> Self {
        if let Some(asked) = asked {
            assert_eq!(self.header("appstrate-version"), Some(asked.as_str()), "{self}");
        }
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {self}"))
    }

    /// The value at a JSON Pointer; null when there is none.
    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or(Value::Null)
    }

    /// The text at a JSON Pointer.
    pub(crate) fn text_at(&self, pointer: &str) -> String {
        self.at(pointer).as_str().unwrap_or_else(|| panic!("no text at {pointer}: {self}")).to_owned()
    }

    /// Requires the status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Requires a problem with this code, and its status.
    #[track_caller]
    pub(crate) fn refused(self, code: domain::Code) -> Self {
        assert_eq!((self.status, self.at("/code").as_str().unwrap_or_default()), (code.status(), code.as_str()), "{self}");
        assert_eq!(self.header("www-authenticate"), (self.status == 401).then_some("Bearer realm=\"Appstrate\""), "{self}");
        self
    }

    /// Requires a 422 with a violation at this pointer.
    #[track_caller]
    pub(crate) fn invalid_at(self, pointer: &str) -> Self {
        let reply = self.refused(domain::Code::ValidationError);
        let errors = reply.at("/errors");
        let pointers: Vec<_> = errors.as_array().into_iter().flatten().filter_map(|error| error["pointer"].as_str()).collect();
        assert!(pointers.contains(&pointer), "violations at {pointers:?}, not at {pointer:?}: {reply}");
        reply
    }

    /// The body without what is the request's own: its id, and its path or the parts of it that `own` names.
    pub(crate) fn stable(&self, own: &[&str]) -> String {
        let id = self.header("request-id").unwrap_or_default();
        own.iter().filter(|part| !part.is_empty()).fold(self.text.replace(id, "[request]"), |text, part| text.replace(part, "[own]"))
    }

    /// The headers without what is the request's own (its id, its length, what remains after it), as sorted lines.
    pub(crate) fn stable_headers(&self) -> Vec<String> {
        let mut lines: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| !["request-id", "content-length", "ratelimit"].contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} → {} {}", self.what, self.status, self.text)
    }
}
