//! ZIP archives: read with every bound enforced while inflating, written so that the same content always gives the same bytes.
//!
//! The order of defence: size of the upload, the end record (an archive that claims 10⁵ entries is refused after 22 bytes), our own
//! strict walk over the central directory (names, flags, declared sizes), then the `zip` crate for the data, bounded again.
//! Nested archives are files like any other and are never opened.

mod directory;
mod error;
mod file_set;
mod path;
mod read;
mod write;

use crate::Package;

pub use self::error::ArchiveError;
pub use self::file_set::FileSet;
pub use self::path::{PathProblem, check_path};
pub use self::read::read_files;
pub use self::write::write_archive;

/// The largest archive, in bytes as uploaded.
pub const MAX_ARCHIVE_BYTES: usize = 10 << 20;
/// The largest sum of all files, in bytes.
pub const MAX_TOTAL_BYTES: u64 = 50 << 20;
/// The largest single file, in bytes.
pub const MAX_FILE_BYTES: u64 = 20 << 20;
/// The most entries an archive may list, folders included.
pub const MAX_ENTRIES: usize = 10_000;
/// The most segments a path may have.
pub const MAX_PATH_DEPTH: usize = 16;
/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 255;
/// How many times larger than its compressed form a file of more than [`FREE_RATIO_BYTES`] may become.
pub const MAX_RATIO: u64 = 200;
/// Files up to this size may compress as well as they like: short repetitive text does so honestly.
pub const FREE_RATIO_BYTES: u64 = 1 << 20;

/// Reads an archive and everything in it as a package.
///
/// # Errors
/// The first breach of the archive's bounds, or all errors of its manifest, or what its content lacks.
pub fn read_archive(bytes: &[u8]) -> Result<Package, ArchiveError> {
    Package::from_file_set(read_files(bytes)?)
}
