//! From the bytes of a ZIP to a [`FileSet`].

use std::io::{Cursor, Read};

use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive};

use super::directory::{self, Entry};
use super::path::{PathProblem, check_path};
use super::{ArchiveError, FREE_RATIO_BYTES, FileSet, MAX_ARCHIVE_BYTES, MAX_FILE_BYTES, MAX_RATIO, MAX_TOTAL_BYTES};

/// Bits of the general purpose flag that mean some form of encryption (APPNOTE §4.4.4): 0, 6 and 13.
const ENCRYPTION_FLAGS: u16 = 1 | 1 << 6 | 1 << 13;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// The file type within a Unix mode, and the two types that may stand in an archive besides none.
const MODE_TYPE: u32 = 0o170_000;
const MODE_FILE: u32 = 0o100_000;
const MODE_FOLDER: u32 = 0o040_000;

/// Reads all files of an archive. Folders and `__MACOSX/` are left out, one wrapper folder is removed.
///
/// # Errors
/// The first breach of a bound or rule. Nothing is inflated before the whole directory is found good.
pub fn read_files(bytes: &[u8]) -> Result<FileSet, ArchiveError> {
    if bytes.len() > MAX_ARCHIVE_BYTES {
        return Err(ArchiveError::TooLarge);
    }
    let entries = directory::list(bytes)?;
    let mut wanted = Vec::with_capacity(entries.len());
    let mut total = 0;
    for (index, entry) in entries.iter().enumerate() {
        let Some(path) = accept(entry)? else { continue };
        total += u64::from(entry.size);
        if total > MAX_TOTAL_BYTES {
            return Err(ArchiveError::TotalTooLarge);
        }
        wanted.push((index, path));
    }

    // The offset is fixed so that the crate reads the same directory as the walk above.
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut archive = ZipArchive::with_config(config, Cursor::new(bytes)).map_err(|source| ArchiveError::Damaged { source })?;
    if archive.len() != entries.len() {
        return Err(ArchiveError::NotZip("two entries have the same name"));
    }
    // Also refuses entries that overlap: one compressed block read many times is the modern bomb.
    archive.validate_header_consistency().map_err(|source| ArchiveError::Damaged { source })?;
    let mut files = FileSet::default();
    for (index, path) in wanted {
        let content = inflate(&mut archive, index, &path)?;
        files.insert(path, content)?;
    }
    Ok(files.unwrapped())
}

/// Checks one entry by what the directory says. `None`: it is left out.
fn accept(entry: &Entry<'_>) -> Result<Option<String>, ArchiveError> {
    let shown = || String::from_utf8_lossy(entry.name).chars().take(300).collect::<String>();
    let Ok(name) = str::from_utf8(entry.name) else { return Err(ArchiveError::Path { path: shown(), problem: PathProblem::NotUtf8 }) };
    let (path, is_folder) = name.strip_suffix('/').map_or((name, false), |folder| (folder, true));
    check_path(path).map_err(|problem| ArchiveError::Path { path: shown(), problem })?;
    if entry.flags & ENCRYPTION_FLAGS != 0 {
        return Err(ArchiveError::Encrypted { path: path.into() });
    }
    let mode = entry.attributes >> 16 & MODE_TYPE;
    if mode != 0 && mode != MODE_FILE && mode != MODE_FOLDER {
        return Err(ArchiveError::NotAFile { path: path.into() });
    }
    if is_folder || path == "__MACOSX" || path.starts_with("__MACOSX/") {
        return Ok(None);
    }
    if entry.method != STORED && entry.method != DEFLATED {
        return Err(ArchiveError::Compression { path: path.into(), method: entry.method });
    }
    let size = u64::from(entry.size);
    if size > MAX_FILE_BYTES {
        return Err(ArchiveError::FileTooLarge { path: path.into() });
    }
    if size > FREE_RATIO_BYTES && size / MAX_RATIO > u64::from(entry.compressed) {
        return Err(ArchiveError::Ratio { path: path.into() });
    }
    Ok(Some(path.to_owned()))
}

/// Inflates one entry, stopping at its bounds whatever the directory said; the CRC is checked at its end.
fn inflate(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize, path: &str) -> Result<Vec<u8>, ArchiveError> {
    let mut file = archive.by_index(index).map_err(|source| ArchiveError::Damaged { source })?;
    if !matches!(file.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        return Err(ArchiveError::NotZip("its headers contradict each other"));
    }
    let ratio_bound = FREE_RATIO_BYTES.max(file.compressed_size().saturating_mul(MAX_RATIO).saturating_add(MAX_RATIO));
    let bound = MAX_FILE_BYTES.min(ratio_bound);
    let mut content = Vec::new();
    let read = file.by_ref().take(bound + 1).read_to_end(&mut content);
    read.map_err(|source| ArchiveError::DamagedFile { path: path.into(), source })?;
    if content.len() as u64 > bound {
        return Err(if bound < MAX_FILE_BYTES {
            ArchiveError::Ratio { path: path.into() }
        } else {
            ArchiveError::FileTooLarge { path: path.into() }
        });
    }
    if content.len() as u64 != file.size() {
        let source = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "fewer bytes than the directory says");
        return Err(ArchiveError::DamagedFile { path: path.into(), source });
    }
    Ok(content)
}
