//! `RateLimit` and `RateLimit-Policy`: the one place that knows how they are written.
//!
//! Versions before 2026-11-21 read `limit=20, remaining=18, reset=45` and `20;w=60`; later ones the structured fields of
//! draft-ietf-httpapi-ratelimit-headers-11, `"run";r=18;t=45` and `"run";q=20;w=60`.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use store::Budget;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The first version that speaks structured fields. Dates compare as texts.
const STRUCTURED_SINCE: &str = "2026-11-21";

/// What the headers of a response tell, in its extensions until [`crate::chain::finish`] writes them.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// The name of the class, or of its ceiling.
    pub policy: &'static str,
    pub budget: Budget,
}

impl Told {
    /// Writes both headers as this API version reads them.
    pub fn write(self, version: &str, headers: &mut HeaderMap) {
        let (limit, policy) = if version >= STRUCTURED_SINCE { self.structured() } else { self.listed() };
        for (name, value) in [(LIMIT, limit), (POLICY, policy)] {
            headers.insert(name, HeaderValue::try_from(value).expect("a name of ours and numbers are ASCII"));
        }
    }

    fn listed(self) -> (String, String) {
        let (limit, remaining, reset, window) = self.numbers();
        (format!("limit={limit}, remaining={remaining}, reset={reset}"), format!("{limit};w={window}"))
    }

    fn structured(self) -> (String, String) {
        let (limit, remaining, reset, window) = self.numbers();
        let policy = self.policy;
        (format!("\"{policy}\";r={remaining};t={reset}"), format!("\"{policy}\";q={limit};w={window}"))
    }

    fn numbers(self) -> (u32, u32, u64, u64) {
        let Budget { quota, remaining, .. } = self.budget;
        (quota.limit.get(), remaining, self.budget.reset_seconds(), quota.window.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use store::Quota;

    use super::*;

    fn written(version: &str, reset: Duration) -> (String, String) {
        let quota = Quota { limit: NonZeroU32::new(20).unwrap(), window: Duration::from_mins(1) };
        let mut headers = HeaderMap::new();
        Told { policy: "run", budget: Budget { quota, remaining: 18, reset } }.write(version, &mut headers);
        let text = |name| headers[name].to_str().unwrap().to_owned();
        (text("ratelimit"), text("ratelimit-policy"))
    }

    #[test]
    fn each_version_has_its_form() {
        let listed = ("limit=20, remaining=18, reset=45".to_owned(), "20;w=60".to_owned());
        assert_eq!(written("2026-03-21", Duration::from_secs(45)), listed);
        assert_eq!(written("2026-11-20", Duration::from_secs(45)), listed);
        let structured = ("\"run\";r=18;t=45".to_owned(), "\"run\";q=20;w=60".to_owned());
        assert_eq!(written("2026-11-21", Duration::from_secs(45)), structured);
        assert_eq!(written("2027-01-01", Duration::from_secs(45)), structured);
    }

    #[test]
    fn a_part_of_a_second_is_a_whole_one_to_wait() {
        assert_eq!(written("2026-03-21", Duration::from_millis(44_001)).0, "limit=20, remaining=18, reset=45");
        assert_eq!(written("2026-03-21", Duration::from_millis(1)).0, "limit=20, remaining=18, reset=1");
    }
}
