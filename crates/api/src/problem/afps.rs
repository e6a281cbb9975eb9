//! The one place where a broken package meets a status.

use afps::ArchiveError;
use domain::Code;

use super::{Problem, Violation};

impl From<ArchiveError> for Problem {
    fn from(error: ArchiveError) -> Self {
        let errors = error.manifest_errors();
        if errors.is_empty() {
            // The message names a place in the archive, never its contents.
            return Self::listing(Code::PackageError, vec![Violation::new("", error.code(), error.to_string())]);
        }
        Self::listing(
            Code::PackageError,
            errors.iter().map(|error| Violation::new(error.pointer.clone(), error.code.clone(), error.message.clone())).collect(),
        )
    }
}
