//! Exact versions of packages.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// An exact semantic version, `1.2.3-beta.1+build`, in its canonical text (SemVer 2.0.0 §2, §9, §10).
///
/// Order and equality ignore build metadata (§10): `1.0.0+a` and `1.0.0+b` are the same version.
#[derive(Clone)]
pub struct Version(nodejs_semver::Version);

/// A text that is not an exact semantic version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version is exact semver, such as 1.2.3 or 2.0.0-beta.1")]
pub struct InvalidVersion;

impl Version {
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(nodejs_semver::Version::new(major, minor, patch, Vec::new(), Vec::new()))
    }

    /// Whether the version has a prerelease part; such a version never becomes `latest`.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre_release().is_empty()
    }

    /// The next version with the last number raised by one and without prerelease or build.
    #[must_use]
    pub fn next_patch(&self) -> Self {
        Self::new(self.0.major(), self.0.minor(), self.0.patch().saturating_add(1))
    }

    pub(crate) fn as_semver(&self) -> &nodejs_semver::Version {
        &self.0
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let version = nodejs_semver::Version::parse(text).map_err(|_| InvalidVersion)?;
        // The parser is lenient as npm is ("v1.2.3", " 1.2.3"); one version must have one text, because it names stored bytes.
        if version.to_string() == text { Ok(Self(version)) } else { Err(InvalidVersion) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.major(), self.0.minor(), self.0.patch(), self.0.pre_release()).hash(state);
    }
}

impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_canonical_text_is_a_version() {
        for good in ["0.0.0", "1.2.3", "1.2.3-beta.1", "1.2.3+build.7", "1.2.3-0.a+b"] {
            assert_eq!(good.parse::<Version>().map(|v| v.to_string()).as_deref(), Ok(good));
        }
        for bad in ["", "1", "1.2", "v1.2.3", " 1.2.3", "1.2.3 ", "01.2.3", "1.2.3-01", "1.2.3-", "1.2.3+", "latest", "^1.0.0", "1.2.3.4"] {
            assert_eq!(bad.parse::<Version>(), Err(InvalidVersion), "{bad:?}");
        }
    }

    #[test]
    fn order_follows_semver_and_ignores_build() {
        // SemVer 2.0.0 §11.4.4.
        let texts =
            ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"];
        let versions: Vec<Version> = texts.iter().map(|text| text.parse().expect("valid")).collect();
        assert!(versions.is_sorted_by(|a, b| a < b));
        assert_eq!("1.0.0+a".parse::<Version>(), "1.0.0+b".parse::<Version>());
    }

    proptest! {
        #[test]
        fn any_text_parses_or_not_but_never_panics(text in ".{0,40}") {
            if let Ok(version) = text.parse::<Version>() {
                prop_assert_eq!(version.to_string(), text);
            }
        }
    }
}
