//! `RATE_LIMITS`: a JSON object that changes the size of classes, for all and for single applications.
//!
//! `{"run": {"limit": 40, "window": 60, "ceiling": 200}, "applications": {"app_…": {"run": {"limit": 100}}}}`

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use domain::AppId;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::Quota;

use super::class::Class;

/// How large the ceiling over all paths of a class is where nothing is said: so many times the quota of one path.
const CEILING_TIMES: u32 = 5;

const DEFAULT_WINDOW: u64 = 60;
const LONGEST_WINDOW: u64 = 24 * 60 * 60;

/// The size of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub quota: Quota,
    /// What all paths of the class may take together, in the same time. Only for classes that count by path.
    pub ceiling: Option<Quota>,
}

type Sizes = [Size; Class::ALL.len()];

/// The sizes of all classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    sizes: Sizes,
    /// What differs for these applications.
    applications: HashMap<AppId, HashMap<&'static str, Size>>,
}

/// A text that is no such object.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRateLimits {
    #[error("not a JSON object: {0}")]
    Json(#[from] serde_json::Error),
    #[error("`{0}` is neither a class (run, import, create, read, write, auth, public) nor `applications`")]
    UnknownClass(String),
    #[error(
        "`{name}` must be an object of `limit` (at least 1), `window` (seconds, 1 to 86400) and, for run, import and create, `ceiling`: {problem}"
    )]
    Size { name: String, problem: String },
    #[error("`{0}` is not the id of an application")]
    Application(String),
    #[error("`{0}` is counted by address, before an application is known, and cannot differ between applications")]
    NotByApplication(&'static str),
}

/// The members of a class, as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    limit: NonZeroU32,
    window: Option<u64>,
    ceiling: Option<NonZeroU32>,
}

impl Written {
    /// `usual`: the window where none is written.
    fn size(self, class: Class, usual: Duration) -> Result<Size, String> {
        let window = self.window.map_or(usual, Duration::from_secs);
        if !(1..=LONGEST_WINDOW).contains(&window.as_secs()) {
            return Err(format!("`window` is {}", window.as_secs()));
        }
        if class.ceiling_name().is_none() {
            let is_named = self.ceiling.is_some();
            let size = Size { quota: Quota { limit: self.limit, window }, ceiling: None };
            return if is_named { Err("this class has no `ceiling`".to_owned()) } else { Ok(size) };
        }
        let ceiling = self.ceiling.unwrap_or_else(|| self.limit.saturating_mul(NonZeroU32::new(CEILING_TIMES).expect("not zero")));
        if ceiling < self.limit {
            return Err(format!("`ceiling` is {ceiling}, below `limit`"));
        }
        Ok(Size { quota: Quota { limit: self.limit, window }, ceiling: Some(Quota { limit: ceiling, window }) })
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        let sizes = Class::ALL.map(|class| {
            let limit = NonZeroU32::new(class.default_limit()).expect("no default is zero");
            let written = Written { limit, window: None, ceiling: None };
            written.size(class, Duration::from_secs(DEFAULT_WINDOW)).expect("a default is in range")
        });
        Self { sizes, applications: HashMap::new() }
    }
}

impl RateLimits {
    /// The size of a class for callers of this application, and whether it is one of the application's own.
    pub fn size(&self, class: Class, app: Option<AppId>) -> (Size, bool) {
        match app.and_then(|app| self.applications.get(&app)).and_then(|sizes| sizes.get(class.as_str())) {
            Some(size) => (*size, true),
            None => (self.sizes[class as usize], false),
        }
    }

    fn read(&self, name: &str, value: Value) -> Result<(Class, Size), InvalidRateLimits> {
        let class = Class::ALL.into_iter().find(|class| class.as_str() == name);
        let class = class.ok_or_else(|| InvalidRateLimits::UnknownClass(name.to_owned()))?;
        let invalid = |problem: String| InvalidRateLimits::Size { name: name.to_owned(), problem };
        // A derived reader would take an array for an object, too.
        let object: Map<String, Value> = serde_json::from_value(value).map_err(|error| invalid(error.to_string()))?;
        let written: Written = serde_json::from_value(object.into()).map_err(|error| invalid(error.to_string()))?;
        let usual = self.sizes[class as usize].quota.window;
        Ok((class, written.size(class, usual).map_err(invalid)?))
    }
}

impl FromStr for RateLimits {
    type Err = InvalidRateLimits;

    fn from_str(text: &str) -> Result<Self, InvalidRateLimits> {
        let mut object: Map<String, Value> = serde_json::from_str(text)?;
        let mut limits = Self::default();
        let applications = object.remove("applications");
        for (name, value) in object {
            let (class, size) = limits.read(&name, value)?;
            limits.sizes[class as usize] = size;
        }
        let applications: Map<String, Value> = applications.map(serde_json::from_value).transpose()?.unwrap_or_default();
        for (id, classes) in applications {
            let app: AppId = id.parse().map_err(|_| InvalidRateLimits::Application(id))?;
            let classes: Map<String, Value> = serde_json::from_value(classes)?;
            let mut sizes = HashMap::new();
            for (name, value) in classes {
                let (class, size) = limits.read(&name, value)?;
                if matches!(class, Class::Auth | Class::Public) {
                    return Err(InvalidRateLimits::NotByApplication(class.as_str()));
                }
                sizes.insert(class.as_str(), size);
            }
            limits.applications.insert(app, sizes);
        }
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "app_01jd9xq3e8f2t8v0k3m5n7p9r1";

    fn numbers((size, is_own): (Size, bool)) -> (u32, u64, Option<u32>, bool) {
        (size.quota.limit.get(), size.quota.window.as_secs(), size.ceiling.map(|ceiling| ceiling.limit.get()), is_own)
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let limits: RateLimits = "{}".parse().unwrap();
        assert_eq!(limits, RateLimits::default());
        assert_eq!(numbers(limits.size(Class::Run, None)), (20, 60, Some(100), false));
        assert_eq!(numbers(limits.size(Class::Read, None)), (300, 60, None, false));
        let limits: RateLimits = r#"{"run": {"limit": 7, "window": 10}, "read": {"limit": 1000}}"#.parse().unwrap();
        assert_eq!(numbers(limits.size(Class::Run, None)), (7, 10, Some(35), false));
        assert_eq!(numbers(limits.size(Class::Read, None)), (1000, 60, None, false));
        assert_eq!(numbers(limits.size(Class::Create, None)), (10, 60, Some(50), false));
    }

    #[test]
    fn an_application_may_have_its_own() {
        let text =
            format!(r#"{{"run": {{"limit": 7, "window": 10}}, "applications": {{"{APP}": {{"run": {{"limit": 100, "ceiling": 100}}}}}}}}"#);
        let limits: RateLimits = text.parse().unwrap();
        let app = Some(APP.parse().unwrap());
        assert_eq!(numbers(limits.size(Class::Run, app)), (100, 10, Some(100), true));
        assert_eq!(numbers(limits.size(Class::Run, Some("app_01jd9xq3e8f2t8v0k3m5n7p9r2".parse().unwrap()))), (7, 10, Some(35), false));
        assert_eq!(numbers(limits.size(Class::Create, app)), (10, 60, Some(50), false));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("[]", "JSON object"),
            ("20", "JSON object"),
            (r#"{"reed": {"limit": 1}}"#, "`reed`"),
            (r#"{"read": 20}"#, "`read`"),
            (r#"{"read": [20, 60, null]}"#, "`read`"),
            (r#"{"read": {}}"#, "limit"),
            (r#"{"read": {"limit": 0}}"#, "`read`"),
            (r#"{"read": {"limit": -1}}"#, "`read`"),
            (r#"{"read": {"limit": 1, "windows": 60}}"#, "windows"),
            (r#"{"read": {"limit": 1, "window": 0}}"#, "`window` is 0"),
            (r#"{"read": {"limit": 1, "window": 86401}}"#, "86401"),
            (r#"{"read": {"limit": 1, "ceiling": 2}}"#, "no `ceiling`"),
            (r#"{"run": {"limit": 5, "ceiling": 2}}"#, "below `limit`"),
            (r#"{"applications": {"acme": {}}}"#, "`acme`"),
            (r#"{"applications": {"app_01jd9xq3e8f2t8v0k3m5n7p9r1": {"auth": {"limit": 1}}}}"#, "`auth`"),
            (r#"{"applications": {"app_01jd9xq3e8f2t8v0k3m5n7p9r1": {"limit": 1}}}"#, "`limit`"),
        ] {
            let error = text.parse::<RateLimits>().unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
