//! The gate against breaking changes: the document of each version, as the code makes it now, beside the one in `openapi/`.
//!
//! | module | owns |
//! |---|---|
//! | [`rules`] | what breaks a client: operations, parameters, answers |
//! | [`schemas`] | the same for the shapes of bodies |
//! | [`examples`] | each rule, broken once |

mod examples;
mod rules;
mod schemas;

use std::path::PathBuf;

use api::versions::{RELEASES, Version};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../openapi")
}

/// Whether the version is out, by `openapi/released.txt`. Its document in git is frozen.
pub(crate) fn is_released(version: Version) -> bool {
    let list = std::fs::read_to_string(folder().join("released.txt")).unwrap();
    list.lines().any(|line| line.trim() == version.as_str())
}

#[test]
fn no_document_breaks_the_clients_of_its_version() {
    for release in RELEASES {
        let date = release.version.as_str();
        let frozen = std::fs::read_to_string(folder().join(format!("{date}.json"))).unwrap();
        let frozen: Value = serde_json::from_str(&frozen).unwrap();
        let current: Value = serde_json::from_str(api::openapi::document(release.version)).unwrap();
        let broken = rules::breaks(&frozen, &current);
        assert!(
            broken.is_empty(),
            "version {date} would break its clients. Put the change into a new version (crates/api/src/versions):\n{}",
            broken.join("\n")
        );
    }
}

#[test]
fn only_known_versions_are_marked_as_released() {
    let list = std::fs::read_to_string(folder().join("released.txt")).unwrap();
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(Version::released(line).is_some(), "{line} stands in openapi/released.txt and is no version");
    }
}
