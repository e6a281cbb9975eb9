//! The released API versions. Inside there is one model, the newest; what older versions say differently is done here, at the edge.
//!
//! | module | owns |
//! |---|---|
//! | `v….rs` | one version: what it changed, and how its changes are undone for older clients |
//! | [`change`] | the places in which a version may differ |
//! | [`edge`] | requests, answers, problems and headers on their way in and out |
//! | [`events`] | the same for the events of a stream |
//! | [`deprecation`] | the headers of a version that will end |
//!
//! A new version is one file, and one line in [`RELEASES`]. Its file says how *its own* changes are undone: a client of an older
//! version hears the newest answer with the changes of every later version undone, the newest first. Older files stay as they are.

pub mod change;
pub mod deprecation;
pub mod edge;
pub mod events;
mod v2026_03_21;
mod v2026_11_21;

use self::change::Change;
pub use self::deprecation::Deprecation;

/// A released API version, by its date. Later ones compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(&'static str);

/// A version and what it brought.
pub struct Release {
    pub version: Version,
    /// What clients notice, one sentence each; the reference page is made from them.
    pub notes: &'static [&'static str],
    /// How the answers and requests of this version differ from the one before.
    pub change: &'static dyn Change,
    /// `None`: the version is here to stay.
    pub deprecation: Option<Deprecation>,
}

/// Every version that was released, oldest first.
pub static RELEASES: [&Release; 2] = [&v2026_03_21::RELEASE, &v2026_11_21::RELEASE];

/// What a caller without header and pin speaks.
pub const DEFAULT: Version = v2026_03_21::VERSION;

impl Version {
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The released version of this date.
    pub fn released(text: &str) -> Option<Self> {
        RELEASES.iter().map(|release| release.version).find(|version| version.0 == text)
    }

    /// The version that says everything as it is inside.
    pub fn newest() -> Self {
        RELEASES.last().expect("there is a release").version
    }

    /// What later versions changed and this one's clients do not know, newest first.
    fn unknown_changes(self) -> impl Iterator<Item = &'static dyn Change> {
        RELEASES.iter().rev().take_while(move |release| release.version > self).map(|release| release.change)
    }

    /// Turns the newest OpenAPI document into this version's.
    pub fn undo_document(self, document: &mut serde_json::Value) {
        for change in self.unknown_changes() {
            change.undo_document(document);
        }
    }

    /// The deprecation that the table holds.
    pub fn deprecation(self) -> Option<Deprecation> {
        RELEASES.iter().find(|release| release.version == self).and_then(|release| release.deprecation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_dates_in_order_and_say_what_they_brought() {
        assert!(RELEASES.is_sorted_by(|one, next| one.version < next.version));
        for release in RELEASES {
            assert!(chrono::NaiveDate::parse_from_str(release.version.as_str(), "%Y-%m-%d").is_ok());
            assert!(!release.notes.is_empty() && release.notes.iter().all(|note| note.ends_with('.')));
            assert!(release.deprecation.is_none_or(Deprecation::is_fair), "{} ends too early", release.version.as_str());
        }
        assert!(Version::released(DEFAULT.as_str()).is_some_and(|version| version.deprecation().is_none()));
    }

    #[test]
    fn the_newest_version_undoes_nothing() {
        assert_eq!(Version::newest().unknown_changes().count(), 0);
        assert_eq!(DEFAULT.unknown_changes().count(), RELEASES.len() - 1);
    }
}
