//! Why an archive or its content is refused.

use super::path::PathProblem;
use super::{MAX_ARCHIVE_BYTES, MAX_ENTRIES, MAX_FILE_BYTES, MAX_RATIO, MAX_TOTAL_BYTES};
use crate::manifest::ManifestErrors;
use crate::skill::SkillError;

/// Why an archive, or a set of files, is no package.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the archive is larger than {MAX_ARCHIVE_BYTES} bytes")]
    TooLarge,
    #[error("the archive lists more than {MAX_ENTRIES} entries")]
    TooManyEntries,
    #[error("the file {path} is larger than {MAX_FILE_BYTES} bytes")]
    FileTooLarge { path: String },
    #[error("the files are larger than {MAX_TOTAL_BYTES} bytes together")]
    TotalTooLarge,
    #[error("the file {path} is more than {MAX_RATIO} times larger than its compressed form")]
    Ratio { path: String },
    #[error("the bytes are not a ZIP archive: {0}")]
    NotZip(&'static str),
    #[error("the archive is damaged")]
    Damaged {
        #[source]
        source: zip::result::ZipError,
    },
    #[error("the file {path} does not inflate to what the archive says")]
    DamagedFile {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the entry {path} is encrypted")]
    Encrypted { path: String },
    #[error("the entry {path} uses compression method {method}; only stored and deflate are read")]
    Compression { path: String, method: u16 },
    #[error("the entry {path} is a link or a special file")]
    NotAFile { path: String },
    #[error("the path {path:?} {problem}")]
    Path { path: String, problem: PathProblem },
    #[error("the paths {first} and {second} name the same file")]
    Duplicate { first: String, second: String },
    #[error("the package has no manifest.json")]
    MissingManifest,
    #[error("the manifest is not valid: {0}")]
    Manifest(#[from] ManifestErrors),
    #[error("the package has no {path}")]
    MissingContent { path: String },
    #[error("the file {path} {reason}")]
    Content { path: String, reason: &'static str },
    #[error("the file SKILL.md is not valid: {0}")]
    Skill(#[from] SkillError),
}

impl ArchiveError {
    /// A stable code of the group the error belongs to.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "file_too_large",
            Self::TooManyEntries | Self::FileTooLarge { .. } | Self::TotalTooLarge | Self::Ratio { .. } => "zip_bomb",
            Self::NotZip(_)
            | Self::Damaged { .. }
            | Self::DamagedFile { .. }
            | Self::Encrypted { .. }
            | Self::Compression { .. }
            | Self::NotAFile { .. }
            | Self::Path { .. }
            | Self::Duplicate { .. } => "zip_invalid",
            Self::MissingManifest => "missing_manifest",
            Self::Manifest(_) => "invalid_manifest",
            Self::MissingContent { .. } => "missing_content",
            Self::Content { .. } | Self::Skill(_) => "invalid_content",
        }
    }

    /// The errors of the manifest with their pointers; empty for other errors.
    pub fn manifest_errors(&self) -> &[crate::ManifestError] {
        if let Self::Manifest(errors) = self { errors.as_slice() } else { &[] }
    }
}
