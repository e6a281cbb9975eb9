//! `check-size`: source files stay small enough to read in one sitting.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Findings;

/// Above this a file is named, nothing more. Lines.
const SOFT_LIMIT: usize = 300;
/// Above this the check fails. Lines.
const HARD_LIMIT: usize = 600;
/// The hard limit of test files: stories are long, and nobody reads them as a whole.
const TEST_LIMIT: usize = 800;

const SOURCE_FOLDERS: &[&str] = &["crates", "xtask", "bench"];
const ALLOWLIST: &str = "xtask/size-allowlist.txt";

/// One source file: its path below the root with `/`, and its length in lines.
struct SourceFile {
    path: String,
    lines: usize,
    is_generated: bool,
}

/// Measures every Rust file below `root`.
pub(crate) fn check(root: &Path) -> io::Result<Findings> {
    let mut files = Vec::new();
    for folder in SOURCE_FOLDERS {
        let start = root.join(folder);
        if start.exists() {
            collect(root, &start, &mut files)?;
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let allowlist = fs::read_to_string(root.join(ALLOWLIST))?;
    Ok(judge(&files, &allowlist))
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // A link is skipped: its target is measured where it lies, and a loop of links would never end.
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "target" && entry.file_name() != "node_modules" {
                collect(root, &path, files)?;
            }
        } else if entry.file_type()?.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            let is_generated = text.lines().take(3).any(|line| line.contains("@generated"));
            files.push(SourceFile { path: relative(root, path), lines: text.lines().count(), is_generated });
        }
    }
    Ok(())
}

fn relative(root: &Path, path: PathBuf) -> String {
    path.strip_prefix(root).map(Path::to_path_buf).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn judge(files: &[SourceFile], allowlist: &str) -> Findings {
    let mut findings = Findings::default();
    let mut allowed = Vec::new();
    for line in allowlist.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.split_once(char::is_whitespace) {
            Some((path, reason)) if !reason.trim().is_empty() => allowed.push(path),
            _ => findings.violations.push(format!("{ALLOWLIST}: `{line}` gives no reason")),
        }
    }
    for file in files.iter().filter(|file| !file.is_generated) {
        let SourceFile { path, lines, .. } = file;
        let is_test = is_test(path);
        let limit = if is_test { TEST_LIMIT } else { HARD_LIMIT };
        if *lines > limit && !allowed.contains(&path.as_str()) {
            findings.violations.push(format!("{path} has {lines} lines and may have {limit}; split it by verb, phase or type"));
        } else if *lines > SOFT_LIMIT && !is_test {
            findings.notes.push(format!("{path} has {lines} lines; {SOFT_LIMIT} are a good size"));
        }
    }
    for path in allowed {
        let is_needed = files.iter().any(|file| file.path == path && !file.is_generated && file.lines > limit_of(path));
        if !is_needed {
            findings.violations.push(format!("{ALLOWLIST}: `{path}` is within its limit or gone; remove the line"));
        }
    }
    findings
}

fn limit_of(path: &str) -> usize {
    if is_test(path) { TEST_LIMIT } else { HARD_LIMIT }
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, lines: usize) -> SourceFile {
        SourceFile { path: path.to_owned(), lines, is_generated: false }
    }

    #[test]
    fn a_file_at_its_limit_passes_and_one_line_more_fails() {
        for (path, limit) in
            [("crates/a/src/b.rs", HARD_LIMIT), ("crates/a/tests/it/b.rs", TEST_LIMIT), ("crates/a/src/tests.rs", TEST_LIMIT)]
        {
            assert_eq!(judge(&[file(path, limit)], "").violations, Vec::<String>::new());
            assert_eq!(judge(&[file(path, limit + 1)], "").violations.len(), 1, "{path}");
        }
    }

    #[test]
    fn between_the_limits_a_source_file_is_named_and_a_test_is_not() {
        let findings = judge(&[file("crates/a/src/b.rs", SOFT_LIMIT + 1), file("crates/a/tests/it/b.rs", SOFT_LIMIT + 1)], "");
        assert!(findings.violations.is_empty());
        assert_eq!(findings.notes.len(), 1);
        assert!(findings.notes[0].contains("crates/a/src/b.rs"));
    }

    #[test]
    fn the_allowlist_wants_a_reason_and_no_stale_line() {
        let big = [file("crates/a/src/b.rs", HARD_LIMIT + 1)];
        assert!(judge(&big, "# why\ncrates/a/src/b.rs  one table, read as one\n").violations.is_empty());
        assert!(judge(&big, "crates/a/src/b.rs").violations.iter().any(|violation| violation.contains("no reason")));
        let small = [file("crates/a/src/b.rs", HARD_LIMIT)];
        assert!(judge(&small, "crates/a/src/b.rs  it was long once").violations[0].contains("remove the line"));
        assert!(judge(&[], "crates/a/src/gone.rs  it was there once").violations[0].contains("remove the line"));
    }

    #[test]
    fn a_generated_file_is_not_measured() {
        let generated = SourceFile { path: "crates/a/src/b.rs".to_owned(), lines: 10_000, is_generated: true };
        assert!(judge(&[generated], "").violations.is_empty());
    }
}
