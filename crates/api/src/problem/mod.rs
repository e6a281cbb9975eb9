//! RFC 9457 problem documents: the one shape of every error.

mod afps;
mod auth;
mod connect;
mod runs;
mod store;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Code;
use serde::Serialize;

/// The media type of every error body (RFC 9457 §3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// How many violations are listed at most. A client that has corrected so many asks again.
const MAX_LISTED: usize = 100;

/// How many bytes of JSON they take at most: an answer does not grow with the request that it refuses.
const MAX_LISTED_BYTES: usize = 32 * 1024;

/// How many characters of a text are kept that may repeat what the client sent.
const MAX_DETAIL: usize = 1_000;
const MAX_TEXT: usize = 300;

/// An error on its way to a client. `instance` and `requestId` are added by the outermost layer, which knows them.
#[derive(Clone, Debug)]
pub struct Problem(Box<Details>);

/// What a problem says.
#[derive(Clone, Debug)]
pub struct Details {
    pub code: Code,
    pub detail: String,
    pub param: Option<String>,
    pub errors: Vec<Violation>,
    /// Seconds, for the `Retry-After` header.
    pub retry_after: Option<u64>,
}

impl std::ops::Deref for Problem {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

/// One value that must change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct Violation {
    /// JSON Pointer (RFC 6901) into the body, or empty for the body as a whole.
    pub pointer: String,
    /// The same place in dots: `settings.allowedRedirectDomains[0]`.
    pub field: String,
    pub code: String,
    pub message: String,
}

impl Violation {
    pub fn new(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        let pointer = cut(pointer.into(), MAX_TEXT);
        Self { field: dotted(&pointer), pointer, code: code.into(), message: cut(message.into(), MAX_TEXT) }
    }
}

/// The beginning of a text that may be as long as a request.
fn cut(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The violations that an answer has room for; at least the first.
fn listed(mut errors: Vec<Violation>) -> Vec<Violation> {
    errors.truncate(MAX_LISTED);
    let size = |error: &Violation| serde_json::to_vec(error).expect("a violation holds only strings").len();
    let mut bytes = 0;
    let fitting = errors.iter().take_while(|error| {
        bytes += size(error);
        bytes <= MAX_LISTED_BYTES
    });
    let fitting = fitting.count().max(1);
    errors.truncate(fitting);
    errors
}

/// `/settings/domains/0` as `settings.domains[0]`; the body itself is `body`.
fn dotted(pointer: &str) -> String {
    let mut field = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty() && !field.is_empty() {
            field.extend(["[", part.as_str(), "]"]);
        } else {
            if !field.is_empty() {
                field.push('.');
            }
            field.push_str(&part);
        }
    }
    if field.is_empty() { "body".to_owned() } else { field }
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let detail = cut(detail.into(), MAX_DETAIL);
        Self(Box::new(Details { code, detail, param: None, errors: Vec::new(), retry_after: None }))
    }

    /// A 422 whose detail is the first violation and the number of the others.
    pub fn validation(errors: Vec<Violation>) -> Self {
        Self::listing(Code::ValidationError, errors)
    }

    /// A problem with `errors`, summed up in its detail. The detail counts them all; the list ends where it gets long.
    pub fn listing(code: Code, errors: Vec<Violation>) -> Self {
        let detail = match errors.as_slice() {
            [] => code.title().to_owned(),
            [only] => format!("{}: {}", only.field, only.message),
            [first, others @ ..] => format!("{}: {} (+{} more)", first.field, first.message, others.len()),
        };
        let mut problem = Self::new(code, detail);
        problem.0.errors = listed(errors);
        problem
    }

    /// A 422 about one value of the body.
    pub fn invalid(pointer: &str, code: &str, message: impl Into<String>) -> Self {
        Self::validation(vec![Violation::new(pointer, code, message)])
    }

    /// Nothing to be seen here: also for what belongs to others.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "No such resource.")
    }

    /// Logs the whole chain of causes and tells the client nothing of it.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push_str(": ");
            chain.push_str(&cause.to_string());
            source = cause.source();
        }
        tracing::error!(error = chain, "request failed");
        Self::new(Code::InternalError, "Something went wrong on our side.")
    }

    #[must_use]
    pub fn param(mut self, name: &str) -> Self {
        self.0.param = Some(name.to_owned());
        self
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }
}

/// The members in the order in which clients read them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Violation],
}

impl Problem {
    /// The body, once path and request id are known.
    pub fn body(&self, instance: &str, request_id: &str) -> Vec<u8> {
        let document = Document {
            r#type: format!("https://appstrate.dev/errors/{}", self.code.slug()),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            instance,
            code: self.code.as_str(),
            request_id,
            param: self.param.as_deref(),
            retry_after: self.retry_after,
            errors: &self.errors,
        };
        serde_json::to_vec(&document).expect("a problem document holds only strings and numbers")
    }
}

impl IntoResponse for Problem {
    /// An empty response that carries the problem; [`crate::chain::finish`] writes the body.
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::from_u16(self.code.status()).expect("codes hold valid statuses");
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_read_as_fields() {
        assert_eq!(Violation::new("/settings/domains/0", "invalid_value", "bad").field, "settings.domains[0]");
        assert_eq!(Violation::new("", "invalid_type", "bad").field, "body");
    }

    #[test]
    fn a_problem_does_not_grow_with_what_it_refuses() {
        let long = "\u{1}~1".repeat(500_000);
        let violation = |number: usize| Violation::new(format!("/{number}/{long}"), "unknown_field", format!("unknown field `{long}`"));
        for count in [1, 99, 100, 3_000] {
            let problem = Problem::validation((0..count).map(violation).collect());
            assert!(problem.body("/", "req_1").len() < 64 * 1024);
            assert!((1..=100).contains(&problem.errors.len()));
            assert_eq!(problem.detail.ends_with(&format!("(+{} more)", count - 1)), count > 1, "the true count is told");
        }
        let short: Vec<_> = (0..100).map(|number| Violation::new(format!("/{number}"), "required", "is required")).collect();
        assert_eq!(Problem::validation(short.clone()).errors, short, "what has room is listed whole");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("äöü".to_owned(), 3), "äöü");
        assert_eq!(cut("äöü".to_owned(), 2), "äö…");
    }

    #[test]
    fn the_document_has_every_member_that_the_reference_promises() {
        let problem = Problem::invalid("/name", "required", "must not be empty");
        let body: serde_json::Value = serde_json::from_slice(&problem.body("/api/agents", "req_1")).expect("JSON");
        assert_eq!(body["type"], "https://appstrate.dev/errors/validation-error");
        assert_eq!(body["title"], "Validation Error");
        assert_eq!(body["status"], 422);
        assert_eq!(body["instance"], "/api/agents");
        assert_eq!(body["requestId"], "req_1");
        assert_eq!(body["errors"][0]["pointer"], "/name");
    }
}
