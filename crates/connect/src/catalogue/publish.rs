//! Publishing a version of an organization's package.

use afps::{Integrity, Package, Version};
use bytes::Bytes;
use domain::UserId;
use store::{BlobKey, NewPackage, NewPackageVersion, OrgScope, PackageVersion, Store, Write};

use super::{CatalogueError, releases};

/// A package whose archive is stored as a blob, ready to be published in a transaction.
#[derive(Debug)]
pub struct Archived {
    pub package: Package,
    integrity: Integrity,
    size_bytes: u64,
    blob: BlobKey,
}

/// What publishing came to.
#[derive(Debug)]
pub struct Published {
    pub version: PackageVersion,
    /// The same bytes were published before under this version; nothing changed.
    pub was_there: bool,
}

impl Archived {
    /// Writes the archive of a package to the blobs. `bytes`: as it was uploaded; `None`: made here, always the same for the same files.
    ///
    /// A blob without a version is harmless: it is named by its contents.
    pub async fn store(store: &Store, package: Package, bytes: Option<Vec<u8>>) -> Result<Self, CatalogueError> {
        let bytes = match bytes {
            Some(bytes) => bytes,
            None => package.to_archive().map_err(Box::new)?,
        };
        let (integrity, size_bytes) = (Integrity::of(&bytes), bytes.len() as u64);
        let blob = store.blobs().put(Bytes::from(bytes)).await?;
        Ok(Self { package, integrity, size_bytes, blob })
    }

    pub(super) fn new_package(&self, created_by: Option<UserId>) -> NewPackage {
        let manifest = self.package.manifest();
        NewPackage { name: manifest.name().clone(), package_type: manifest.package_type(), created_by }
    }

    pub(super) fn new_version(&self, lockfile: afps::Lockfile, created_by: Option<UserId>) -> NewPackageVersion {
        let manifest = self.package.manifest();
        NewPackageVersion {
            package: manifest.name().clone(),
            version: manifest.version().clone(),
            integrity: self.integrity,
            size_bytes: self.size_bytes,
            manifest: String::from_utf8_lossy(manifest.bytes()).into_owned(),
            content: self.package.content().map(str::to_owned),
            blob: self.blob,
            lockfile,
            created_by,
        }
    }
}

/// Publishes in the caller's transaction: name, direction, immutability and dependencies are checked against what is there now.
///
/// # Errors
/// All but [`CatalogueError::Store`] and [`CatalogueError::Damaged`] are the publisher's to mend.
pub async fn publish(write: &Write<OrgScope>, archived: &Archived, publisher: UserId) -> Result<Published, CatalogueError> {
    let manifest = archived.package.manifest();
    let name = manifest.name();
    let organization = write.organization().get().await?.ok_or_else(|| CatalogueError::Damaged("the organization is gone".to_owned()))?;
    if name.scope() != organization.slug {
        return Err(CatalogueError::ScopeMismatch { slug: organization.slug });
    }
    match write.packages().get(name).await? {
        None => {
            let created = write.packages().create(archived.new_package(Some(publisher))).await;
            created.map_err(|error| {
                if error.is_conflict(store::constraint::PACKAGE_NAME) { CatalogueError::NameCollision(name.clone()) } else { error.into() }
            })?;
        }
        Some(existing) if existing.package_type != manifest.package_type() => {
            return Err(CatalogueError::TypeMismatch { name: name.clone(), existing: existing.package_type });
        }
        Some(_) => {
            let versions = write.versions().all_of(name).await?;
            if let Some(same) = versions.iter().find(|known| known.version == *manifest.version()) {
                return if same.integrity == archived.integrity {
                    Ok(Published { version: same.clone(), was_there: true })
                } else {
                    Err(CatalogueError::IntegrityMismatch(same.version.clone()))
                };
            }
            forward_only(manifest.version(), versions.iter().map(|known| &known.version))?;
        }
    }
    let lockfile = releases::lock(write, manifest).await?;
    let version = write.versions().publish(archived.new_version(lockfile, Some(publisher))).await?;
    Ok(Published { version, was_there: false })
}

fn forward_only<'v>(given: &Version, known: impl Iterator<Item = &'v Version>) -> Result<(), CatalogueError> {
    match known.max() {
        Some(highest) if given <= highest => Err(CatalogueError::NotForward { given: given.clone(), highest: highest.clone() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_only_go_forward() {
        let version = |text: &str| text.parse::<Version>().expect("a version");
        let known = [version("1.2.0"), version("1.10.0")];
        assert!(forward_only(&version("1.10.1"), known.iter()).is_ok());
        assert!(matches!(forward_only(&version("1.9.0"), known.iter()), Err(CatalogueError::NotForward { .. })));
        assert!(forward_only(&version("0.0.1"), [].iter()).is_ok());
    }
}
