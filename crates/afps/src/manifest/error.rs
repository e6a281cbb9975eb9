//! What is wrong with a manifest.

use std::borrow::Cow;
use std::fmt;

/// One thing that must change in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct ManifestError {
    /// Where, as a JSON Pointer (RFC 6901); a missing member is named itself, the whole document is `""`.
    pub pointer: String,
    /// A stable code: the JSON Schema keyword in snake case (`required`, `pattern`, `min_length`) or one of our rules (`invalid_range`).
    pub code: Cow<'static, str>,
    /// What is expected, for a person.
    pub message: String,
}

impl ManifestError {
    pub(crate) fn new(pointer: impl Into<String>, code: &'static str, message: impl fmt::Display) -> Self {
        Self { pointer: pointer.into(), code: Cow::Borrowed(code), message: message.to_string() }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the manifest" } else { &self.pointer };
        write!(f, "{place}: {}", self.message)
    }
}

/// Everything that is wrong with a manifest, in document order of the pointers' text; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestErrors(Vec<ManifestError>);

/// More errors than this help nobody and make a reply as large as the attack.
const MAX_ERRORS: usize = 100;

impl ManifestErrors {
    /// Sorts, drops repetitions and caps the list; `Ok` when it is empty.
    pub(crate) fn check(mut errors: Vec<ManifestError>) -> Result<(), Self> {
        if errors.is_empty() {
            return Ok(());
        }
        errors.sort();
        errors.dedup();
        errors.truncate(MAX_ERRORS);
        Err(Self(errors))
    }

    pub(crate) fn one(error: ManifestError) -> Self {
        Self(vec![error])
    }

    pub fn as_slice(&self) -> &[ManifestError] {
        &self.0
    }

    pub fn into_vec(self) -> Vec<ManifestError> {
        self.0
    }
}

impl fmt::Display for ManifestErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestErrors {}

/// `base/member`, escaped by RFC 6901 §3.
pub(crate) fn child(base: &str, member: &str) -> String {
    format!("{base}/{}", member.replace('~', "~0").replace('/', "~1"))
}
