//! Every folder below `packages/` is a package that an import would accept.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use afps::{Package, PackageType, read_archive};
use url::Url;

fn folders(kind: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages").join(kind);
    let mut folders: Vec<PathBuf> = fs::read_dir(root).expect("the folder exists").map(|entry| entry.expect("readable").path()).collect();
    folders.sort();
    folders
}

fn load(folder: &Path) -> Package {
    let files = fs::read_dir(folder).expect("readable").map(|entry| {
        let path = entry.expect("readable").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        (name, fs::read(&path).expect("readable"))
    });
    Package::from_files(files).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

#[test]
fn the_five_tools() {
    let packages: Vec<Package> = folders("tools").iter().map(|folder| load(folder)).collect();
    let names: Vec<(&str, &str)> = packages
        .iter()
        .map(|package| (package.manifest().name().as_str(), package.manifest().tool().expect("a tool").interface.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("@appstrate/add-memory", "add_memory"),
            ("@appstrate/log", "log"),
            ("@appstrate/output", "output"),
            ("@appstrate/report", "report"),
            ("@appstrate/set-state", "set_state"),
        ]
    );
    for package in &packages {
        let tool = &package.manifest().tool().expect("a tool").interface;
        let source = package.source_code().expect("a source");
        assert!(package.content().is_some(), "{} has a TOOL.md", tool.name);
        assert!(source.contains(&format!("name: \"{}\"", tool.name)), "source and manifest agree on the name");
        assert!(source.contains(&tool.description), "{}: source and manifest agree on the description", tool.name);
        assert!(source.contains(&format!("type: \"{}\"", tool.name)), "{} writes its line", tool.name);
        for (property, _) in tool.input_schema["properties"].as_object().expect("properties") {
            assert!(source.contains(&format!("      {property}: Type.")), "{}: {property} is in the source", tool.name);
        }
    }
}

#[test]
fn the_sixty_providers() {
    let folders = folders("providers");
    assert_eq!(folders.len(), 60);
    for folder in folders {
        let package = load(&folder);
        let manifest = package.manifest();
        assert_eq!(manifest.package_type(), PackageType::Provider);
        assert_eq!(Some(manifest.name().name()), folder.file_name().and_then(|name| name.to_str()), "folder and name agree");
        assert_eq!(manifest.name().scope(), "appstrate");
        assert!(package.content().is_some_and(|text| text.len() > 200), "{} has a PROVIDER.md", manifest.name());

        let definition = &manifest.provider().expect("a provider").definition;
        assert!(definition.allow_all_uris || !definition.authorized_uris.is_empty(), "{} reaches something", manifest.name());
        for pattern in &definition.authorized_uris {
            // A host in place of the wildcard must be reached, and no other host.
            let inside = pattern.as_str().replace("//*.", "//tenant.").replace('*', "v1/things");
            assert!(pattern.matches(&Url::parse(&inside).expect("a URL")), "{pattern} reaches {inside}");
            let outside = inside.replacen("://", "://evil.example/", 1);
            assert!(!pattern.matches(&Url::parse(&outside).expect("a URL")), "{pattern} does not reach {outside}");
        }
        if definition.credential_header_name.is_some() {
            let field = definition.header_field().expect("a header has a field");
            assert!(field == "access_token" || definition.credential_fields().contains(&field), "{}: {field} is declared", manifest.name());
        }
    }
}

#[test]
fn archives_of_system_packages_are_stable_and_distinct() {
    let mut hashes = BTreeSet::new();
    let all: Vec<PathBuf> = folders("tools").into_iter().chain(folders("providers")).collect();
    for folder in &all {
        let package = load(folder);
        let archive = package.to_archive().expect("writes");
        assert_eq!(archive, load(folder).to_archive().expect("writes"));
        assert_eq!(read_archive(&archive).expect("reads back"), package);
        assert!(hashes.insert(afps::Integrity::of(&archive)));
    }
    assert_eq!(hashes.len(), 65);
}
