//! The catalogue: publishing packages, and the ones that come with the platform.
//!
//! A published version is final: its bytes, its hash and the exact versions of everything it depends on.

mod embedded;
mod publish;
mod releases;
mod system;

use afps::{ArchiveError, LockProblem, PackageType, Version};
use domain::PackageName;
use store::StoreError;

pub use publish::{Archived, Published, publish};
pub use releases::lock;
pub use system::sync_system;

/// Why a package cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("the package must be named @{slug}/…")]
    ScopeMismatch { slug: String },
    #[error("another package has the name {0}")]
    NameCollision(PackageName),
    #[error("{name} is of type {existing}")]
    TypeMismatch { name: PackageName, existing: PackageType },
    #[error("version {0} exists with other contents")]
    IntegrityMismatch(Version),
    #[error("version {given} is not above {highest}")]
    NotForward { given: Version, highest: Version },
    #[error("the dependencies cannot be resolved")]
    Unresolved(Vec<LockProblem>),
    #[error("the package {folder} of this build is not valid")]
    SystemPackage { folder: String, source: Box<ArchiveError> },
    /// Versions never change: a system package with new contents needs a new version.
    #[error("the system package {name} {version} has other contents than the database; publish it under a higher version")]
    SystemPackageChanged { name: PackageName, version: Version },
    #[error("could not write the archive")]
    Archive(#[from] Box<ArchiveError>),
    #[error("could not reach the store")]
    Store(#[from] StoreError),
    #[error("a stored package is damaged: {0}")]
    Damaged(String),
}
