//! Which version a text means: exact, dist-tag or npm range.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::Version;

/// An npm version range: `^1.2`, `1.x || >=2.1.0 <3`, `1.0.0 - 1.4`, `*`. Keeps its text.
#[derive(Clone)]
pub struct Range {
    text: String,
    parsed: nodejs_semver::Range,
}

/// A text that is not an npm version range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a range is npm style, such as ^1.2.0, 1.x or >=1.0.0 <3")]
pub struct InvalidRange;

/// A range longer than this is refused; npm's own limit for a version.
const MAX_RANGE_LENGTH: usize = 256;

impl Range {
    /// The range that every release version satisfies.
    pub fn any() -> Self {
        Self { text: "*".into(), parsed: nodejs_semver::Range::any() }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the version lies in the range. A prerelease only does where the range names a prerelease of the same three numbers.
    pub fn allows(&self, version: &Version) -> bool {
        self.parsed.satisfies(version.as_semver())
    }

    /// The highest of the versions that lies in the range.
    pub fn max_satisfying<'v>(&self, versions: impl IntoIterator<Item = &'v Version>) -> Option<&'v Version> {
        versions.into_iter().filter(|version| self.allows(version)).max()
    }
}

impl FromStr for Range {
    type Err = InvalidRange;

    fn from_str(text: &str) -> Result<Self, InvalidRange> {
        if text.len() > MAX_RANGE_LENGTH {
            return Err(InvalidRange);
        }
        let parsed = nodejs_semver::Range::parse(text).map_err(|_| InvalidRange)?;
        Ok(Self { text: text.into(), parsed })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Range {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Range {}

impl serde::Serialize for Range {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Range {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A version that a package has, and whether it was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub version: Version,
    pub yanked: bool,
}

/// Whether `text` may be a dist-tag: `^[a-z][a-z0-9._-]*$`, at most 64 characters, and no range (so `x` is none).
pub fn is_dist_tag(text: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    text.len() <= 64
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && text.bytes().all(rest)
        && text.parse::<Range>().is_err()
}

/// The version that `query` means: an exact version (even a yanked one), else a dist-tag, else the highest version in a range;
/// tags and ranges pass over yanked versions.
///
/// `None`: no such version, or `query` is none of the three.
pub fn resolve<'v>(query: &str, versions: &'v [Candidate], tags: &BTreeMap<String, Version>) -> Option<&'v Version> {
    if let Ok(exact) = query.parse::<Version>() {
        return versions.iter().map(|candidate| &candidate.version).find(|version| **version == exact);
    }
    let mut usable = versions.iter().filter(|candidate| !candidate.yanked).map(|candidate| &candidate.version);
    if let Some(tagged) = tags.get(query) {
        return usable.find(|version| *version == tagged);
    }
    query.parse::<Range>().ok()?.max_satisfying(usable)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect("valid version")
    }

    fn shelf() -> Vec<Candidate> {
        [("1.0.0", false), ("1.2.0", false), ("1.3.0", true), ("2.0.0-beta.1", false), ("2.0.0", true)]
            .map(|(text, yanked)| Candidate { version: version(text), yanked })
            .to_vec()
    }

    #[test]
    fn exact_then_tag_then_range() {
        let versions = shelf();
        let tags = BTreeMap::from([
            ("latest".to_owned(), version("1.2.0")),
            ("next".to_owned(), version("2.0.0-beta.1")),
            ("old".to_owned(), version("1.3.0")),
        ]);
        let found = |query: &str| resolve(query, &versions, &tags).map(ToString::to_string);
        assert_eq!(found("1.3.0").as_deref(), Some("1.3.0"), "an exact version may be yanked");
        assert_eq!(found("latest").as_deref(), Some("1.2.0"));
        assert_eq!(found("next").as_deref(), Some("2.0.0-beta.1"));
        assert_eq!(found("old"), None, "a tag on a yanked version resolves to nothing");
        assert_eq!(found("^1.0.0").as_deref(), Some("1.2.0"), "ranges pass over yanked versions");
        assert_eq!(found("*").as_deref(), Some("1.2.0"), "a range without prerelease passes over prereleases");
        assert_eq!(found("^2.0.0-alpha").as_deref(), Some("2.0.0-beta.1"));
        for nothing in ["9.9.9", "^3", "nope", "../etc"] {
            assert_eq!(found(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn npm_ranges() {
        // From node-semver's range-include and range-exclude fixtures.
        let included = [
            ("1.0.0 - 2.0.0", "1.2.3"),
            ("^1.2.3+build", "1.2.3"),
            (">=1.0.0", "1.1.0"),
            ("0.1.20 || 1.2.4", "1.2.4"),
            ("2.x.x", "2.1.3"),
            ("1.2.* || 2.*", "2.1.3"),
            ("~2.4", "2.4.5"),
            ("^0.1.2", "0.1.2"),
            ("^0.1", "0.1.2"),
            ("<=2.0.0", "0.2.9"),
            ("", "1.0.0"),
            ("~1.2.1 >=1.2.3", "1.2.3"),
            ("^1.2.3-alpha", "1.2.3-pre"),
        ];
        for (range, text) in included {
            assert!(range.parse::<Range>().expect("valid range").allows(&version(text)), "{range} should allow {text}");
        }
        let excluded = [
            ("1.0.0 - 2.0.0", "2.2.3"),
            ("^0.0.1", "0.0.2"),
            ("^1.2.3", "2.0.0-alpha"),
            ("~1.2.3", "1.3.0"),
            (">=0.1.97 <0.2", "0.2.0"),
            ("2.x.x", "3.1.3"),
            ("*", "1.2.3-beta"),
            ("^1.2.3-alpha", "1.2.4-alpha"),
        ];
        for (range, text) in excluded {
            assert!(!range.parse::<Range>().expect("valid range").allows(&version(text)), "{range} should not allow {text}");
        }
        for bad in ["nope", "1.2.3.4.5 foo", "git://x", &"1".repeat(300)] {
            assert_eq!(bad.parse::<Range>(), Err(InvalidRange), "{bad}");
        }
    }

    #[test]
    fn a_tag_is_not_a_range() {
        assert!(is_dist_tag("latest") && is_dist_tag("beta-2.1"));
        for bad in ["", "x", "1.0", "Latest", "-a", "a b", "ä"] {
            assert!(!is_dist_tag(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in "[ -~]{0,60}") {
            if let Ok(range) = text.parse::<Range>() {
                let wide = [version("0.0.0"), version("1.2.3"), version("3.0.0-rc.1")];
                if let Some(best) = range.max_satisfying(&wide) {
                    prop_assert!(range.allows(best));
                }
            }
            resolve(&text, &[], &BTreeMap::new());
        }

        #[test]
        fn the_pick_is_the_highest_allowed(major in 0_u64..4, picks in proptest::collection::vec((0_u64..4, 0_u64..4, 0_u64..4), 0..12)) {
            let versions: Vec<Version> = picks.into_iter().map(|(a, b, c)| Version::new(a, b, c)).collect();
            let range: Range = format!("{major}.x").parse().expect("valid");
            let best = range.max_satisfying(&versions);
            let expected = versions.iter().filter(|version| version.as_semver().major() == major).max();
            prop_assert_eq!(best, expected);
        }
    }
}
