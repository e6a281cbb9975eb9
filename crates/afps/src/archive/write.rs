//! From a manifest and files to the bytes of a ZIP.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{ArchiveError, FileSet, MAX_ARCHIVE_BYTES};
use crate::Manifest;

/// Archives whose files are larger than this together are compressed.
const STORE_BELOW_BYTES: u64 = 4 << 20;

/// Writes an archive whose bytes depend on the content alone: manifest first, then files by path, fixed times and modes.
///
/// Small packages are stored and not compressed: a newer compressor would change the bytes, and with them the integrity, of an
/// unchanged package.
///
/// # Errors
/// [`ArchiveError::TooLarge`] when the result could not be read back.
pub fn write_archive(manifest: &Manifest, files: &FileSet) -> Result<Vec<u8>, ArchiveError> {
    let total = files.total_bytes() + manifest.bytes().len() as u64;
    let method = if total <= STORE_BELOW_BYTES { CompressionMethod::Stored } else { CompressionMethod::Deflated };
    let options = SimpleFileOptions::default().compression_method(method).last_modified_time(DateTime::DEFAULT).unix_permissions(0o644);

    let damaged = |source| ArchiveError::Damaged { source };
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let all = std::iter::once(("manifest.json", manifest.bytes())).chain(files.iter());
    for (path, bytes) in all {
        writer.start_file(path, options).map_err(damaged)?;
        writer.write_all(bytes).map_err(|source| ArchiveError::DamagedFile { path: path.into(), source })?;
    }
    let archive = writer.finish().map_err(damaged)?.into_inner();
    if archive.len() > MAX_ARCHIVE_BYTES { Err(ArchiveError::TooLarge) } else { Ok(archive) }
}
