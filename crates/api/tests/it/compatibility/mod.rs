//! The gate against breaking changes: the document of each version, as the code makes it now, beside the frozen one in `openapi/released/`.
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

use api::versions::{DEFAULT, RELEASES, Version};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../openapi")
}

/// The versions that are out, by `openapi/released.txt`.
fn released() -> Vec<String> {
    let list = std::fs::read_to_string(folder().join("released.txt")).unwrap();
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(ToOwned::to_owned).collect()
}

#[test]
fn no_document_breaks_the_clients_of_its_version() {
    for date in released() {
        let version = Version::released(&date).unwrap_or_else(|| panic!("{date} stands in openapi/released.txt and is no version"));
        let path = folder().join("released").join(format!("{date}.json"));
        let frozen = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}. Freeze it: cp openapi/{date}.json openapi/released/", path.display()));
        let frozen: Value = serde_json::from_str(&frozen).unwrap();
        assert_eq!(frozen["info"]["version"], date, "{}", path.display());
        let current: Value = serde_json::from_str(api::openapi::document(version)).unwrap();
        let broken = rules::breaks(&frozen, &current);
        assert!(
            broken.is_empty(),
            "version {date} would break its clients. Put the change into a new version (crates/api/src/versions):\n{}",
            broken.join("\n")
        );
    }
}

/// A version that anybody may speak without asking for it has clients, and an entry that is lost would open the gate.
#[test]
fn the_default_version_and_all_before_it_are_out() {
    let released = released();
    for release in RELEASES.iter().filter(|release| release.version <= DEFAULT) {
        assert!(released.iter().any(|date| date == release.version.as_str()), "{released:?}");
    }
    let frozen = std::fs::read_dir(folder().join("released")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut frozen: Vec<_> = frozen.filter_map(|name| name.strip_suffix(".json").map(ToOwned::to_owned)).collect();
    frozen.sort();
    assert_eq!(frozen, released, "openapi/released holds one document for each date of openapi/released.txt");
}
