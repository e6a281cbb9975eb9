//! Our own strict walk over the central directory (APPNOTE 6.3.10 §4.3.12, §4.3.16).
//!
//! ZIP readers disagree about archives with two end records, prepended data or lying counts, and an attacker uses the difference.
//! So only the plain form is accepted: one end record at the end, the directory right before it, exactly as many headers as it says.

use super::{ArchiveError, MAX_ENTRIES};

/// What the central directory says of one entry.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) compressed: u32,
    pub(super) size: u32,
    /// The upper half holds the Unix mode where the archive was made on Unix.
    pub(super) attributes: u32,
}

const END_SIGNATURE: &[u8; 4] = b"PK\x05\x06";
const END_SIZE: usize = 22;
const HEADER_SIGNATURE: &[u8; 4] = b"PK\x01\x02";
const HEADER_SIZE: usize = 46;
const MAX_COMMENT: usize = u16::MAX as usize;

/// Lists the entries in directory order.
pub(super) fn list(bytes: &[u8]) -> Result<Vec<Entry<'_>>, ArchiveError> {
    let end = find_end(bytes)?;
    let record = &bytes[end..];
    let (disk, directory_disk, on_disk, count) = (u16_at(record, 4), u16_at(record, 6), u16_at(record, 8), u16_at(record, 10));
    if usize::from(count) > MAX_ENTRIES {
        return Err(ArchiveError::TooManyEntries);
    }
    if disk != 0 || directory_disk != 0 || on_disk != count {
        return Err(ArchiveError::NotZip("it spans several disks"));
    }
    let (size, start) = (u32_at(record, 12) as usize, u32_at(record, 16) as usize);
    if start.checked_add(size) != Some(end) {
        return Err(ArchiveError::NotZip("its directory is not where the end record says (ZIP64 and prepended data are not read)"));
    }
    entries(&bytes[start..end], usize::from(count))
}

/// The place of the one end record whose comment reaches exactly to the end of the bytes.
fn find_end(bytes: &[u8]) -> Result<usize, ArchiveError> {
    let last = bytes.len().checked_sub(END_SIZE).ok_or(ArchiveError::NotZip("it is too short"))?;
    let is_end = |place: &usize| bytes[*place..].starts_with(END_SIGNATURE) && usize::from(u16_at(&bytes[*place..], 20)) == last - *place;
    let mut candidates = (last.saturating_sub(MAX_COMMENT)..=last).rev().filter(is_end);
    match (candidates.next(), candidates.next()) {
        (Some(end), None) => Ok(end),
        (None, _) => Err(ArchiveError::NotZip("it has no end record")),
        (Some(_), Some(_)) => Err(ArchiveError::NotZip("it has more than one end record")),
    }
}

fn entries(mut rest: &[u8], count: usize) -> Result<Vec<Entry<'_>>, ArchiveError> {
    const TORN: ArchiveError = ArchiveError::NotZip("its directory is torn");
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        if rest.len() < HEADER_SIZE || !rest.starts_with(HEADER_SIGNATURE) {
            return Err(TORN);
        }
        let (name, extra, comment) = (usize::from(u16_at(rest, 28)), usize::from(u16_at(rest, 30)), usize::from(u16_at(rest, 32)));
        // Cannot overflow: three 16-bit lengths.
        let length = HEADER_SIZE + name + extra + comment;
        let (header, tail) = rest.split_at_checked(length).ok_or(TORN)?;
        let (compressed, size, offset) = (u32_at(header, 20), u32_at(header, 24), u32_at(header, 42));
        if [compressed, size, offset].contains(&u32::MAX) {
            return Err(ArchiveError::NotZip("it uses ZIP64"));
        }
        entries.push(Entry {
            name: &header[HEADER_SIZE..HEADER_SIZE + name],
            flags: u16_at(header, 8),
            method: u16_at(header, 10),
            compressed,
            size,
            attributes: u32_at(header, 38),
        });
        rest = tail;
    }
    if rest.is_empty() { Ok(entries) } else { Err(ArchiveError::NotZip("its directory holds more than it counts")) }
}

/// Callers have checked that the bytes reach that far.
fn u16_at(bytes: &[u8], place: usize) -> u16 {
    u16::from_le_bytes([bytes[place], bytes[place + 1]])
}

fn u32_at(bytes: &[u8], place: usize) -> u32 {
    u32::from_le_bytes([bytes[place], bytes[place + 1], bytes[place + 2], bytes[place + 3]])
}
