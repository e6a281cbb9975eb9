//! JSON bodies: strict, bounded, and every problem told.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use domain::Code;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

use crate::chain::drain::TooSlow;
use crate::problem::{Problem, Violation};

/// The largest JSON body, in bytes, where a route says nothing else.
pub const MAX_JSON_BYTES: usize = 1024 * 1024;

/// The largest form, in bytes: an archive and what stands around it.
pub const MAX_FORM_BYTES: usize = afps::archive::MAX_ARCHIVE_BYTES + 64 * 1024;

/// How deep a body may nest. Below serde_json's own limit of 128, so that the refusal is ours.
const MAX_DEPTH: usize = 64;

/// A JSON body, parsed strictly and checked against its rules.
///
/// 415 for another content type, 413 above 1 MiB, 400 for malformed JSON, 422 for a wrong shape or value.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// Rules of a body beyond its shape: lengths, ranges, formats.
pub trait Checked {
    /// Every violation at once; empty when all is well.
    fn check(&self) -> Vec<Violation>;
}

impl<S: Send + Sync, T: DeserializeOwned + Checked> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let bytes = read(request.into_body(), MAX_JSON_BYTES).await?;
        parse(&bytes).map(Json)
    }
}

/// A body that may be left out; then it is the type's default.
#[derive(Debug)]
pub struct OptionalJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Checked + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let typed = request.headers().contains_key(header::CONTENT_TYPE).then(|| require_json(request.headers()));
        let bytes = read(request.into_body(), MAX_JSON_BYTES).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        match typed {
            Some(checked) => checked?,
            None => return Err(wrong_type()),
        }
        parse(&bytes).map(Self)
    }
}

/// Reads a whole body of at most `limit` bytes.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_too_long(&*error) => Err(Problem::new(Code::PayloadTooLarge, format!("The body may have at most {limit} bytes."))),
        Err(error) => Err(too_slow(&*error).unwrap_or_else(|| Problem::new(Code::InvalidRequest, "The body ended early."))),
    }
}

/// The problem of a body that was cut off because it took too long.
pub fn too_slow(error: &(dyn std::error::Error + 'static)) -> Option<Problem> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    let TooSlow(patience) = causes.find_map(<dyn std::error::Error>::downcast_ref::<TooSlow>)?;
    Some(Problem::new(Code::RequestTimeout, format!("The body did not arrive in {} s.", patience.as_secs_f32().ceil())))
}

/// Whether a limit, also one further in, ended the body.
fn is_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(<dyn std::error::Error>::is::<LengthLimitError>)
}

fn wrong_type() -> Problem {
    Problem::new(Code::UnsupportedMediaType, "Send the body as application/json.").param("Content-Type")
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let essence = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        Ok(())
    } else {
        Err(wrong_type())
    }
}

/// Parses and checks `bytes` as a `T`.
pub fn parse<T: DeserializeOwned + Checked>(bytes: &[u8]) -> Result<T, Problem> {
    check_depth(bytes)?;
    let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    if !raw.get().starts_with('{') {
        // serde would take an array for an object, member by member.
        return Err(Problem::invalid("", "invalid_type", "must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    let value: T = match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(value) => value,
        Err(error) => return Err(of_serde(&error)),
    };
    let violations = value.check();
    if violations.is_empty() { Ok(value) } else { Err(Problem::validation(violations)) }
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(Code::InvalidJson, format!("The body is not valid JSON (line {}, column {}).", error.line(), error.column()))
}

/// What does not fit the type. serde_json calls it a wrong syntax when an enum is neither a text nor an object (`null`); what is
/// left of wrong syntax by now is in the escapes of texts.
fn of_serde(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if !inner.is_data() && !inner.to_string().starts_with("expected value") {
        return malformed(inner);
    }
    let mut pointer = pointer(error.path());
    let text = inner.to_string();
    // serde_json appends " at line L column C"; the pointer says where better.
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
    let code = if message.starts_with("unknown field") {
        // serde_path_to_error points at the member itself already when it can.
        "unknown_field"
    } else if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        pointer.push('/');
        pointer.push_str(name);
        "required"
    } else if let Some(name) = message.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next()) {
        pointer.push('/');
        pointer.push_str(name);
        "duplicate_field"
    } else if message.starts_with("unknown variant") {
        "invalid_value"
    } else {
        "invalid_type"
    };
    Problem::validation(vec![Violation::new(pointer, code, message)])
}

/// The JSON Pointer (RFC 6901 §3) of a path.
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } | Segment::Enum { variant: key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&name);
    }
    pointer
}

/// Refuses nesting beyond [`MAX_DEPTH`] before any value is built.
fn check_depth(bytes: &[u8]) -> Result<(), Problem> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for &byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Problem::new(Code::InvalidJson, format!("The body nests deeper than {MAX_DEPTH} levels.")));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Sample {
        first_name: String,
        #[serde(default)]
        tags: Vec<String>,
        #[serde(default)]
        #[expect(dead_code, reason = "only whether it is accepted matters")]
        kind: Kind,
    }

    #[derive(Debug, Default, serde::Deserialize)]
    enum Kind {
        #[default]
        Plain,
    }

    impl Checked for Sample {
        fn check(&self) -> Vec<Violation> {
            let mut violations = Vec::new();
            crate::rules::length(&mut violations, "/firstName", &self.first_name, 1..=5);
            violations.extend(self.tags.iter().filter(|tag| tag.is_empty()).map(|_| Violation::new("/tags", "invalid_value", "is empty")));
            violations
        }
    }

    fn problem(text: &str) -> Problem {
        parse::<Sample>(text.as_bytes()).expect_err("refused")
    }

    #[test]
    fn every_kind_of_wrong_body_has_its_own_answer() {
        assert_eq!(problem("{").code, Code::InvalidJson);
        assert_eq!(problem("{\"firstName\":\"a\"} x").code, Code::InvalidJson);
        let missing = problem("{}");
        assert_eq!((missing.code, missing.errors[0].pointer.as_str()), (Code::ValidationError, "/firstName"));
        assert_eq!(problem(r#"{"firstName":"a","x":1}"#).errors[0].code, "unknown_field");
        assert_eq!(problem(r#"{"firstName":"a","tags":["a",1]}"#).errors[0].pointer, "/tags/1");
        assert_eq!(problem(r#"{"firstName":"abcdef"}"#).errors[0].pointer, "/firstName");
        let kind = problem(r#"{"firstName":"a","kind":null}"#);
        assert_eq!((kind.code, kind.errors[0].pointer.as_str()), (Code::ValidationError, "/kind"));
        assert_eq!(problem(&"[".repeat(100_000)).code, Code::InvalidJson);
    }
}
