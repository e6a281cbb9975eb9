//! Status codes and error events → [`ModelError`].

use std::time::Duration;

use agent::{ModelError, ModelErrorKind};
use chrono::DateTime;
use domain::Secret;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// Characters of the provider's own words that an error quotes.
const QUOTED_CHARS: usize = 400;

/// A response that is no success. `body`: its beginning.
pub(super) fn of_status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ModelError {
    let parsed = serde_json::from_slice::<Value>(body).ok();
    let (code, words) = parsed.as_ref().map_or_else(|| (String::new(), String::from_utf8_lossy(body).into_owned()), told);
    let kind = match status.as_u16() {
        // An account without money stays so, whatever the pause.
        429 if code == "insufficient_quota" => ModelErrorKind::Rejected,
        400 | 413 | 422 if is_about_length(&code, &words) => ModelErrorKind::ContextTooLong,
        401 | 403 => ModelErrorKind::Authentication,
        429 => ModelErrorKind::RateLimited,
        503 | 529 => ModelErrorKind::Overloaded,
        408 | 409 | 425 | 500.. => ModelErrorKind::Server,
        _ => ModelErrorKind::Rejected,
    };
    let words = quoted(&words);
    let message = if words.is_empty() { format!("status {}", status.as_u16()) } else { format!("status {}: {words}", status.as_u16()) };
    ModelError { retry_after: retry_after(headers), ..ModelError::new(kind, message) }
}

/// An error that came inside the stream: an object with `message` and `type` or `code`, or one that holds it under `error`.
pub(super) fn of_event(event: &Value) -> ModelError {
    let (code, words) = told(event);
    let kind = match code.as_str() {
        _ if is_about_length(&code, &words) => ModelErrorKind::ContextTooLong,
        "overloaded_error" | "overloaded" | "server_overloaded" | "529" | "503" => ModelErrorKind::Overloaded,
        "rate_limit_error" | "rate_limit_exceeded" | "429" => ModelErrorKind::RateLimited,
        "authentication_error" | "permission_error" | "invalid_api_key" | "401" | "403" => ModelErrorKind::Authentication,
        "invalid_request_error"
        | "not_found_error"
        | "request_too_large"
        | "billing_error"
        | "insufficient_quota"
        | "invalid_prompt"
        | "400"
        | "404" => ModelErrorKind::Rejected,
        // `api_error`, `server_error`, and what nobody has documented: worth another try.
        _ => ModelErrorKind::Server,
    };
    let words = quoted(&words);
    let code = quoted(&code);
    let message = match (code.is_empty(), words.is_empty()) {
        (true, true) => "the stream ended with an error".to_owned(),
        (true, false) => words,
        (false, true) => code,
        (false, false) => format!("{code}: {words}"),
    };
    ModelError::new(kind, message)
}

pub(super) fn garbage(message: impl Into<String>) -> ModelError {
    ModelError::new(ModelErrorKind::Garbage, message)
}

/// Takes the key out of an error, should the provider have quoted it.
pub(super) fn without_key(mut error: ModelError, key: Option<&Secret>) -> ModelError {
    if let Some(key) = key.map(Secret::expose).filter(|key| key.len() >= 8) {
        error.message = error.message.replace(key.as_str(), "[redacted]");
    }
    error
}

/// Code (or type) and message of an error body, in any of the shapes that providers use.
fn told(body: &Value) -> (String, String) {
    let inner = match body.get("error") {
        Some(Value::String(words)) => return (String::new(), words.clone()),
        Some(inner @ Value::Object(_)) => inner,
        _ => body,
    };
    let text = |name| match inner.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let code = text("code").or_else(|| text("type")).unwrap_or_default();
    let words = text("message").or_else(|| text("detail")).unwrap_or_default();
    (code, words)
}

fn is_about_length(code: &str, words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    code == "context_length_exceeded"
        || ["prompt is too long", "maximum context length", "context window", "context length", "input is too long", "too many tokens"]
            .iter()
            .any(|sign| words.contains(sign))
}

/// One line without control characters, cut to a length.
pub(super) fn quoted(words: &str) -> String {
    let line = words.split(|letter: char| letter.is_control() || letter.is_whitespace()).filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.trim_end_matches('.').to_owned(),
    }
}

/// RFC 9110 §10.2.3: seconds or a date. A date is compared with the response's own `Date`, so no clock is needed.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(millis / 1000.0).ok();
    }
    let value = text("retry-after")?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    let now = DateTime::parse_from_rfc2822(text("date")?).ok()?;
    (until - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> ModelErrorKind {
        of_status(StatusCode::from_u16(status).expect("status"), &HeaderMap::new(), body.as_bytes()).kind
    }

    #[test]
    fn statuses_have_their_kind() {
        for (status, wanted) in [
            (301, ModelErrorKind::Rejected),
            (400, ModelErrorKind::Rejected),
            (401, ModelErrorKind::Authentication),
            (403, ModelErrorKind::Authentication),
            (404, ModelErrorKind::Rejected),
            (429, ModelErrorKind::RateLimited),
            (500, ModelErrorKind::Server),
            (503, ModelErrorKind::Overloaded),
            (529, ModelErrorKind::Overloaded),
        ] {
            assert_eq!(kind(status, "{}"), wanted, "{status}");
        }
        assert_eq!(kind(429, r#"{"error":{"code":"insufficient_quota","message":"pay"}}"#), ModelErrorKind::Rejected);
        assert_eq!(kind(400, r#"{"error":{"code":"context_length_exceeded","message":"m"}}"#), ModelErrorKind::ContextTooLong);
        let anthropic =
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#;
        assert_eq!(kind(400, anthropic), ModelErrorKind::ContextTooLong);
    }

    #[test]
    fn the_providers_words_are_quoted_on_one_line_and_without_the_key() {
        let body = format!("{{\"error\":{{\"message\":\"bad key sk-verysecret\\nline {}\"}}}}", "x".repeat(1_000));
        let error = of_status(StatusCode::UNAUTHORIZED, &HeaderMap::new(), body.as_bytes());
        let error = without_key(error, Some(&Secret::from("sk-verysecret")));
        assert!(error.message.starts_with("status 401: bad key [redacted] line xxx"), "{error}");
        assert!(error.message.len() < 500);
        assert_eq!(of_status(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"").message, "status 502");
    }

    #[test]
    fn retry_after_is_seconds_milliseconds_or_a_date() {
        let of = |pairs: &[(&'static str, &'static str)]| {
            retry_after(&pairs.iter().map(|(name, value)| ((*name).parse().expect("name"), (*value).parse().expect("value"))).collect())
        };
        assert_eq!(of(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(of(&[("retry-after-ms", "1500"), ("retry-after", "2")]), Some(Duration::from_millis(1500)));
        let dates = [("date", "Wed, 21 Oct 2026 07:28:00 GMT"), ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")];
        assert_eq!(of(&dates), Some(Duration::from_secs(30)));
        for wrong in ["-1", "soon", "NaN", "1e400", ""] {
            assert_eq!(of(&[("retry-after", wrong)]), None, "{wrong}");
        }
    }

    #[test]
    fn error_events_have_their_kind() {
        let of = |text: &str| of_event(&serde_json::from_str(text).expect("json"));
        let overloaded = of(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
        assert_eq!((overloaded.kind, overloaded.message.as_str()), (ModelErrorKind::Overloaded, "overloaded_error: Overloaded"));
        assert_eq!(of(r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#).kind, ModelErrorKind::RateLimited);
        assert_eq!(of(r#"{"error":"something broke"}"#).message, "something broke");
        assert_eq!(of(r#"{"type":"error","code":"server_error","message":"m"}"#).kind, ModelErrorKind::Server);
        assert_eq!(of(r#"{"error":{"code":429,"message":"m"}}"#).kind, ModelErrorKind::RateLimited);
    }
}
