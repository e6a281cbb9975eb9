//! The packages that come with the platform, embedded from `packages/` and put through the same importer as everybody's.

use std::collections::BTreeMap;

use afps::{Package, PackageType};
use rust_embed::RustEmbed;

use super::CatalogueError;

#[derive(RustEmbed)]
#[folder = "../../packages"]
struct Sources;

/// Every system package, by kind and name.
///
/// # Errors
/// When a source folder is no valid package: a defect of this build, found by a test.
pub(super) fn packages() -> Result<Vec<Package>, CatalogueError> {
    let mut folders: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    for path in Sources::iter() {
        // `<kind>/<folder>/<file…>`
        let mut parts = path.splitn(3, '/');
        let (Some(kind), Some(folder), Some(file)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let source = Sources::get(&path).expect("a listed file is embedded");
        folders.entry(format!("{kind}/{folder}")).or_default().push((file.to_owned(), source.data.into_owned()));
    }
    folders
        .into_iter()
        .map(|(folder, files)| {
            Package::from_files(files).map_err(|source| CatalogueError::SystemPackage { folder, source: Box::new(source) })
        })
        .collect()
}

/// Agents come last, so that what they depend on is there.
pub(super) fn rank(package: &Package) -> u8 {
    match package.manifest().package_type() {
        PackageType::Provider | PackageType::Tool | PackageType::Skill => 0,
        PackageType::Agent => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_providers_and_five_tools_are_embedded() {
        let packages = packages().expect("every source is valid");
        let count = |kind| packages.iter().filter(|package| package.manifest().package_type() == kind).count();
        assert_eq!((count(PackageType::Provider), count(PackageType::Tool)), (60, 5));
        assert!(packages.iter().all(|package| package.manifest().name().scope() == "appstrate"));
    }
}
