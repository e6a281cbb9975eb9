//! Archives made by hand, so that they can be wrong in one place.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// One entry; `new` gives an honest stored one.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    /// The name in the local header, where it differs.
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) data: Vec<u8>,
    pub(crate) crc: u32,
    pub(crate) size: u32,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) mode: u32,
    /// Points the directory at the data of an earlier entry and writes none.
    pub(crate) same_as: Option<usize>,
}

impl Entry {
    pub(crate) fn new(name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Self {
        let data = data.as_ref().to_vec();
        Self {
            name: name.as_ref().to_vec(),
            local_name: None,
            crc: crc32(&data),
            size: u32::try_from(data.len()).expect("small"),
            data,
            flags: 0,
            method: 0,
            mode: 0o100_644,
            same_as: None,
        }
    }
}

/// The archive as bytes: local entries, directory, end record.
pub(crate) fn forge(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut offsets = Vec::new();
    for entry in entries {
        offsets.push(u32::try_from(bytes.len()).expect("small"));
        if let Some(earlier) = entry.same_as {
            let offset = offsets[earlier];
            *offsets.last_mut().expect("just pushed") = offset;
            continue;
        }
        let name = entry.local_name.as_ref().unwrap_or(&entry.name);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(20_u16.to_le_bytes());
        bytes.extend(common(entry));
        bytes.extend(short(name.len()));
        bytes.extend(0_u16.to_le_bytes());
        bytes.extend(name);
        bytes.extend(&entry.data);
    }
    let start = bytes.len();
    for (entry, offset) in entries.iter().zip(offsets) {
        bytes.extend(b"PK\x01\x02");
        bytes.extend(0x0314_u16.to_le_bytes());
        bytes.extend(20_u16.to_le_bytes());
        bytes.extend(common(entry));
        bytes.extend(short(entry.name.len()));
        bytes.extend([0; 8]);
        bytes.extend((entry.mode << 16).to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        bytes.extend(&entry.name);
    }
    let end = bytes.len();
    bytes.extend(end_record(entries.len(), end - start, start));
    bytes
}

/// An end-of-central-directory record without comment.
pub(crate) fn end_record(count: usize, size: usize, start: usize) -> Vec<u8> {
    let mut bytes = b"PK\x05\x06\0\0\0\0".to_vec();
    bytes.extend(short(count));
    bytes.extend(short(count));
    bytes.extend(u32::try_from(size).expect("small").to_le_bytes());
    bytes.extend(u32::try_from(start).expect("small").to_le_bytes());
    bytes.extend(0_u16.to_le_bytes());
    bytes
}

/// Flags, method, time, CRC and sizes: the same in both headers.
fn common(entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(entry.flags.to_le_bytes());
    bytes.extend(entry.method.to_le_bytes());
    bytes.extend([0, 0, 0x21, 0]);
    bytes.extend(entry.crc.to_le_bytes());
    bytes.extend(u32::try_from(entry.data.len()).expect("small").to_le_bytes());
    bytes.extend(entry.size.to_le_bytes());
    bytes
}

/// A count or length as the format holds it; larger ones wrap, as a careless writer's would.
fn short(value: usize) -> [u8; 2] {
    u16::try_from(value & 0xFFFF).expect("masked").to_le_bytes()
}

pub(crate) fn crc32(data: &[u8]) -> u32 {
    !data
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())))
}

/// An honest archive, deflated, as most tools write it.
pub(crate) fn deflated(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        if path.ends_with('/') {
            writer.add_directory(*path, options).expect("writes");
        } else {
            writer.start_file(*path, options).expect("writes");
            writer.write_all(bytes).expect("writes");
        }
    }
    writer.finish().expect("writes").into_inner()
}

pub(crate) const AGENT: &[u8] =
    br#"{"name":"@acme/hello","version":"1.0.0","type":"agent","schemaVersion":"1.0","displayName":"Hello","author":"Acme"}"#;
pub(crate) const SKILL: &[u8] = br#"{"name":"@acme/tone","version":"1.0.0","type":"skill"}"#;
pub(crate) const TOOL: &[u8] = br#"{"name":"@acme/adder","version":"1.0.0","type":"tool","entrypoint":"src/index.ts","tool":{"name":"add","description":"Adds.","inputSchema":{"type":"object","properties":{}}}}"#;
pub(crate) const PROVIDER: &[u8] = br#"{"name":"@acme/crm","version":"1.0.0","type":"provider","definition":{"authMode":"oauth2","oauth2":{"authorizationUrl":"https://a.example/","tokenUrl":"https://a.example/t"},"authorizedUris":["https://a.example/*"]}}"#;
