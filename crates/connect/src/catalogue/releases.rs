//! Locking dependencies against what an organization sees: its own packages and the platform's.

use std::collections::HashMap;

use afps::{Lockfile, Manifest, Release};
use domain::PackageName;
use store::{InOrg, Mode, PackageVersion, Unit};

use super::CatalogueError;

/// Rounds of loading and resolving: each loads one more level of dependencies.
const MOST_ROUNDS: usize = 32;

/// Chooses one exact version for every direct and transitive dependency.
///
/// # Errors
/// [`CatalogueError::Unresolved`] with everything that is missing or excludes another.
pub async fn lock<S: InOrg, M: Mode>(unit: &Unit<S, M>, manifest: &Manifest) -> Result<Lockfile, CatalogueError> {
    let mut known: HashMap<PackageName, Vec<Release>> = HashMap::new();
    for _ in 0..MOST_ROUNDS {
        let unresolved =
            match afps::lock::resolve(manifest, |name| known.get(name).map(Vec::as_slice).filter(|releases| !releases.is_empty())) {
                Ok(lockfile) => return Ok(lockfile),
                Err(unresolved) => unresolved,
            };
        let missing: Vec<PackageName> = unresolved.missing().filter(|name| !known.contains_key(*name)).cloned().collect();
        if missing.is_empty() {
            return Err(CatalogueError::Unresolved(unresolved.0));
        }
        for name in missing {
            let versions = unit.versions().all_of(&name).await?;
            known.insert(name, versions.iter().map(release).collect::<Result<_, _>>()?);
        }
    }
    Err(CatalogueError::Unresolved(vec![afps::LockProblem::TooMany]))
}

fn release(version: &PackageVersion) -> Result<Release, CatalogueError> {
    let manifest = Manifest::parse(version.manifest.as_bytes())
        .map_err(|error| CatalogueError::Damaged(format!("{} {}: {error}", version.package, version.version)))?;
    Ok(Release {
        package_type: manifest.package_type(),
        version: version.version.clone(),
        integrity: version.integrity,
        yanked: false,
        dependencies: manifest.dependencies().clone(),
    })
}
