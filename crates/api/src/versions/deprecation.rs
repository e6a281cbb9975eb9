//! The headers of a version that will end: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and links to what to do about it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{Months, NaiveDate, NaiveTime};

use super::Version;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Clients get at least this long.
const NOTICE: Months = Months::new(6);

/// When a version was given up, and from when on a release of the server may leave it out: until one does, it answers. Days begin at
/// midnight UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    pub since: NaiveDate,
    pub sunset: NaiveDate,
}

impl Deprecation {
    /// Whether clients have the time that they were promised.
    pub fn is_fair(self) -> bool {
        self.since.checked_add_months(NOTICE).is_some_and(|earliest| earliest <= self.sunset)
    }

    /// Adds `Deprecation` and `Sunset`.
    pub fn write(self, headers: &mut HeaderMap) {
        let since = self.since.and_time(NaiveTime::MIN).and_utc().timestamp();
        // An IMF-fixdate (RFC 9110 §5.6.7).
        let sunset = self.sunset.format("%a, %d %b %Y 00:00:00 GMT");
        headers.insert(DEPRECATION, HeaderValue::try_from(format!("@{since}")).expect("digits are ASCII"));
        headers.insert(SUNSET, HeaderValue::try_from(sunset.to_string()).expect("dates are ASCII"));
    }

    /// The members of the `Link` header.
    pub fn links(version: Version) -> String {
        let page = format!("/docs/versions#{}", version.as_str());
        format!("<{page}>; rel=\"deprecation\"; type=\"text/html\", <{page}>; rel=\"sunset\"; type=\"text/html\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn half_a_year_is_the_least() {
        let ends = |sunset| Deprecation { since: day("2027-03-31"), sunset: day(sunset) }.is_fair();
        assert!(ends("2027-09-30") && ends("2028-01-01"));
        assert!(!ends("2027-09-29") && !ends("2027-03-31"));
    }

    #[test]
    fn the_headers_are_a_structured_date_and_an_http_date() {
        let mut headers = HeaderMap::new();
        Deprecation { since: day("2027-01-01"), sunset: day("2027-07-04") }.write(&mut headers);
        assert_eq!(headers["deprecation"], "@1798761600");
        assert_eq!(headers["sunset"], "Sun, 04 Jul 2027 00:00:00 GMT");
    }
}
