//! Registering the platform's own packages in the database, at every start.

use afps::{Integrity, Lockfile, Package};
use store::{Store, WriteContext};

use super::{Archived, CatalogueError, embedded};

/// Publishes what is new among the embedded packages; a start that finds everything in place writes nothing.
///
/// # Errors
/// [`CatalogueError::SystemPackageChanged`] when a version's contents differ from what was published: versions never change.
pub async fn sync_system(store: &Store) -> Result<(), CatalogueError> {
    let mut packages = embedded::packages()?;
    packages.sort_by_key(embedded::rank);
    for (package, archive) in missing(store, packages).await? {
        let (name, version) = (package.manifest().name().clone(), package.manifest().version().clone());
        let archived = Archived::store(store, package, Some(archive)).await?;
        let write = store.system().write(WriteContext::internal()).await?;
        // Another node may have been faster.
        if write.system_version(&name, &version).await?.is_none() {
            write.ensure_system_package(archived.new_package(None)).await?;
            write.publish_system_version(archived.new_version(Lockfile::default(), None)).await?;
        }
        write.commit().await?;
        tracing::debug!(package.name = %name, package.version = %version, "registered the system package {name} {version}");
    }
    Ok(())
}

/// The packages whose version is not published yet, with their archives.
async fn missing(store: &Store, packages: Vec<Package>) -> Result<Vec<(Package, Vec<u8>)>, CatalogueError> {
    let mut missing = Vec::new();
    let unit = store.system().write(WriteContext::internal()).await?;
    for package in packages {
        let archive = package.to_archive().map_err(Box::new)?;
        let manifest = package.manifest();
        match unit.system_version(manifest.name(), manifest.version()).await? {
            None => missing.push((package, archive)),
            Some(published) if published.integrity == Integrity::of(&archive) => {}
            Some(_) => {
                return Err(CatalogueError::SystemPackageChanged { name: manifest.name().clone(), version: manifest.version().clone() });
            }
        }
    }
    Ok(missing)
}
