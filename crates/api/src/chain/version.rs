//! Which API version a request speaks: its header, else the organization's pin, else the default.

use axum::http::{HeaderMap, HeaderName};
use domain::Code;

use crate::problem::Problem;
pub use crate::versions::{DEFAULT, Version};

/// Request and response header.
pub const HEADER: HeaderName = HeaderName::from_static("appstrate-version");

/// The version that the header asks for. `None` without a header.
pub fn requested(headers: &HeaderMap) -> Result<Option<Version>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed());
    }
    named(value.to_str().unwrap_or_default()).map(Some)
}

/// The version of this date.
pub fn named(text: &str) -> Result<Version, Problem> {
    if !is_date(text) {
        return Err(malformed());
    }
    Version::released(text)
        .ok_or_else(|| Problem::new(Code::UnsupportedApiVersion, format!("API version {text} does not exist.")).param("Appstrate-Version"))
}

fn malformed() -> Problem {
    Problem::new(Code::InvalidApiVersion, "Appstrate-Version must be one date, YYYY-MM-DD.").param("Appstrate-Version")
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10 && bytes.iter().enumerate().all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() })
}

/// What is spoken: the header, else the organization's pin, else the default. A pin is validated when it is set; should a release be
/// withdrawn, the default speaks.
pub fn resolve(requested: Option<Version>, pinned: Option<&str>) -> Version {
    requested.or_else(|| pinned.and_then(Version::released)).unwrap_or(DEFAULT)
}

/// What is spoken as long as the organization is not known: the header, else the default.
pub fn preliminary(headers: &HeaderMap) -> Version {
    requested(headers).ok().flatten().unwrap_or(DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Result<Option<Version>, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, value.parse().expect("visible ASCII"));
        requested(&headers).map_err(|problem| problem.code)
    }

    #[test]
    fn a_version_is_released_unknown_or_malformed() {
        assert_eq!(asked("2026-03-21"), Ok(Some(DEFAULT)));
        assert_eq!(asked("2026-11-21"), Ok(Some(Version::newest())));
        assert_eq!(asked("1999-01-01"), Err(Code::UnsupportedApiVersion));
        assert_eq!(asked("latest"), Err(Code::InvalidApiVersion));
        assert_eq!(requested(&HeaderMap::new()).map_err(|problem| problem.code), Ok(None));
    }
}
