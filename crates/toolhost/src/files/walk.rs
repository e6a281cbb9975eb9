//! The files below a directory, without what `.gitignore` names.

use std::path::Path;

use globset::{Glob, GlobBuilder, GlobMatcher};
use ignore::{Walk, WalkBuilder};

use super::FileError;

/// Every entry below `start` in a stable order: hidden ones too, `.git` and ignored ones not; links are not followed.
pub(super) fn below(start: &Path) -> Walk {
    WalkBuilder::new(start)
        .hidden(false)
        .parents(false)
        .git_global(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .build()
}

/// A pattern with a slash matches the path, one without matches the name.
pub(super) struct Pattern {
    matcher: GlobMatcher,
    whole_path: bool,
}

impl Pattern {
    pub(super) fn new(pattern: &str) -> Result<Self, FileError> {
        let relative = pattern.strip_prefix("./").unwrap_or(pattern);
        let glob: Result<Glob, _> = GlobBuilder::new(relative).literal_separator(true).build();
        match glob {
            Ok(glob) => Ok(Self { matcher: glob.compile_matcher(), whole_path: relative.contains('/') }),
            Err(error) => Err(FileError::Refused(format!("the pattern is not valid: {error}"))),
        }
    }

    /// `path` is relative to where the search began.
    pub(super) fn matches(&self, path: &Path) -> bool {
        if self.whole_path { self.matcher.is_match(path) } else { path.file_name().is_some_and(|name| self.matcher.is_match(name)) }
    }
}
