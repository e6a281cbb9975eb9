//! Which API version a request speaks: its header, else the organization's pin, else the default.

use axum::http::{HeaderMap, HeaderName};
use domain::Code;

use crate::problem::Problem;

/// Request and response header.
pub const HEADER: HeaderName = HeaderName::from_static("appstrate-version");

/// A released API version. Inside there is one model; the differences are applied at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(&'static str);

/// What a caller without header and pin speaks.
pub const DEFAULT: Version = Version("2026-03-21");

/// Every version that was released, oldest first.
pub const RELEASED: &[Version] = &[DEFAULT];

impl Version {
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The released version of this date.
    pub fn released(text: &str) -> Option<Self> {
        RELEASED.iter().copied().find(|version| version.0 == text)
    }
}

/// The version that the header asks for. `None` without a header.
pub fn requested(headers: &HeaderMap) -> Result<Option<Version>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let malformed = || Problem::new(Code::InvalidApiVersion, "Appstrate-Version must be one date, YYYY-MM-DD.").param("Appstrate-Version");
    if values.next().is_some() || !is_date(text) {
        return Err(malformed());
    }
    Version::released(text)
        .map(Some)
        .ok_or_else(|| Problem::new(Code::UnsupportedApiVersion, format!("API version {text} does not exist.")).param("Appstrate-Version"))
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10 && bytes.iter().enumerate().all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() })
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
        assert_eq!(asked("1999-01-01"), Err(Code::UnsupportedApiVersion));
        assert_eq!(asked("latest"), Err(Code::InvalidApiVersion));
        assert_eq!(requested(&HeaderMap::new()).map_err(|problem| problem.code), Ok(None));
    }
}
