//! What an operator allows: `PLATFORM_RUN_LIMITS` and `INLINE_RUN_LIMITS`, two JSON objects with defaults for what is left out.

use std::num::{NonZeroU32, NonZeroU64};

use serde::Deserialize;

/// `PLATFORM_RUN_LIMITS`: bounds of all runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlatformRunLimits {
    /// The longest time that an agent may ask for, in seconds. Default 1800.
    pub timeout_ceiling_seconds: NonZeroU64,
    /// Runs that one organization may start in a minute. Default 200.
    pub per_org_global_rate_per_min: NonZeroU32,
    /// Runs of one organization that may be pending or running at once. Default 50.
    pub max_concurrent_per_org: NonZeroU32,
}

impl Default for PlatformRunLimits {
    fn default() -> Self {
        Self {
            timeout_ceiling_seconds: NonZeroU64::new(1800).expect("not zero"),
            per_org_global_rate_per_min: count(200),
            max_concurrent_per_org: count(50),
        }
    }
}

/// `INLINE_RUN_LIMITS`: bounds of a run whose agent comes in the request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InlineRunLimits {
    /// Requests of one identity in a minute. Default 60.
    pub rate_per_min: NonZeroU32,
    /// Largest manifest, in bytes of JSON. Default 65536.
    pub manifest_bytes: u32,
    /// Largest prompt, in bytes. Default 200000.
    pub prompt_bytes: u32,
    /// Default 20.
    pub max_skills: u32,
    /// Default 20.
    pub max_tools: u32,
    /// Also the most providers. Default 50.
    pub max_authorized_uris: u32,
    /// Whether an authorized URI may be the bare wildcard. Default false.
    pub wildcard_uri_allowed: bool,
    /// Days until manifest and prompt of an ended inline run are emptied. Default 30.
    pub retention_days: NonZeroU32,
}

impl Default for InlineRunLimits {
    fn default() -> Self {
        Self {
            rate_per_min: count(60),
            manifest_bytes: 65_536,
            prompt_bytes: 200_000,
            max_skills: 20,
            max_tools: 20,
            max_authorized_uris: 50,
            wildcard_uri_allowed: false,
            retention_days: count(30),
        }
    }
}

fn count(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).expect("a default is not zero")
}

/// A text that is no such object: not JSON, an unknown key, a wrong type, a zero where nothing could ever run.
#[derive(Debug, thiserror::Error)]
#[error("not a JSON object of run limits: {0}")]
pub struct InvalidLimits(#[from] serde_json::Error);

impl std::str::FromStr for PlatformRunLimits {
    type Err = InvalidLimits;

    fn from_str(text: &str) -> Result<Self, InvalidLimits> {
        object(text)
    }
}

impl std::str::FromStr for InlineRunLimits {
    type Err = InvalidLimits;

    fn from_str(text: &str) -> Result<Self, InvalidLimits> {
        object(text)
    }
}

/// A derived reader would take an array for a struct, too.
fn object<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, InvalidLimits> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)?;
    Ok(serde_json::from_value(object.into())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let limits: PlatformRunLimits = r#"{"max_concurrent_per_org": 3}"#.parse().unwrap();
        assert_eq!(limits, PlatformRunLimits { max_concurrent_per_org: count(3), ..PlatformRunLimits::default() });
        assert_eq!("{}".parse::<InlineRunLimits>().unwrap(), InlineRunLimits::default());
    }

    #[test]
    fn an_unknown_key_or_a_zero_stops_the_start_and_is_named() {
        let unknown = r#"{"max_concurent_per_org": 3}"#.parse::<PlatformRunLimits>().unwrap_err().to_string();
        assert!(unknown.contains("max_concurent_per_org"), "{unknown}");
        assert!(r#"{"max_concurrent_per_org": 0}"#.parse::<PlatformRunLimits>().is_err());
        assert!(r#"{"rate_per_min": -1}"#.parse::<InlineRunLimits>().is_err());
        assert!("[]".parse::<InlineRunLimits>().is_err());
    }
}
