//! The files that a run's workspace begins with: its locked packages, unpacked, byte for byte what was locked.

use std::fmt::Write as _;
use std::str::FromStr as _;

use afps::Integrity;
use store::{BlobKey, Blobs, StoreError};
use wire::frame::MAX_FRAME_BYTES;
use wire::hands::File;
use wire::run_spec::{LockedPackage, RunSpec};

/// All files of one run together, in bytes: what fits, in base64, into the first frame beside the spec.
const MOST_BYTES: usize = (MAX_FRAME_BYTES - 4 * 1024 * 1024) / 4 * 3;

/// Why a workspace cannot be laid out. The text is shown on the run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    #[error("The package {0} is no longer stored.")]
    Gone(String),
    #[error("The stored archive of {0} is not the one that the run was accepted with.")]
    Altered(String),
    #[error("The archive of {package} cannot be read: {source}.")]
    Archive { package: String, source: afps::ArchiveError },
    #[error("The files of the agent's packages are larger than {} MiB together.", MOST_BYTES >> 20)]
    TooLarge,
    #[error("the packages of the run could not be read")]
    Store(#[source] StoreError),
}

/// Reads, checks and unpacks every package of the spec into its directory.
pub(crate) async fn workspace(blobs: &Blobs, spec: &RunSpec) -> Result<Vec<File>, FilesError> {
    let mut files = Vec::new();
    let mut bytes = 0;
    for package in &spec.packages {
        let archive = archive(blobs, package).await?;
        let unpacked = unpack(package.clone(), archive).await?;
        bytes += unpacked.iter().map(|file| file.content.len()).sum::<usize>();
        if bytes > MOST_BYTES {
            return Err(FilesError::TooLarge);
        }
        files.extend(unpacked);
    }
    Ok(files)
}

async fn archive(blobs: &Blobs, package: &LockedPackage) -> Result<Vec<u8>, FilesError> {
    let integrity = Integrity::from_str(&package.integrity).map_err(|_| FilesError::Altered(label(package)))?;
    let found = match blobs.get(key(&integrity)).await {
        Ok(found) => found.ok_or_else(|| FilesError::Gone(label(package)))?,
        Err(StoreError::Corrupt { .. }) => return Err(FilesError::Altered(label(package))),
        Err(error) => return Err(FilesError::Store(error)),
    };
    // The blob store has compared its own checksum; this one is the lock's.
    if integrity.matches(&found) { Ok(found.into()) } else { Err(FilesError::Altered(label(package))) }
}

/// Archives are kept under the SHA-256 of their bytes, which is also their integrity.
fn key(integrity: &Integrity) -> BlobKey {
    let hex = integrity.as_bytes().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to text");
        hex
    });
    hex.parse().expect("64 hexadecimal digits are a key")
}

async fn unpack(package: LockedPackage, archive: Vec<u8>) -> Result<Vec<File>, FilesError> {
    let unpacked = tokio::task::spawn_blocking(move || {
        let files = afps::read_files(&archive).map_err(|source| FilesError::Archive { package: label(&package), source })?;
        let directory = package.directory.trim_end_matches('/');
        let file = |(path, content): (&str, &[u8])| {
            // Archives carry no permissions that we trust; a script that names its interpreter may be run.
            let mode = if content.starts_with(b"#!") { 0o755 } else { 0o644 };
            File { path: format!("{directory}/{path}"), content: content.to_vec(), mode }
        };
        Ok(files.iter().map(file).collect())
    });
    unpacked.await.expect("reading an archive does not panic")
}

fn label(package: &LockedPackage) -> String {
    format!("{}@{}", package.name, package.version)
}
