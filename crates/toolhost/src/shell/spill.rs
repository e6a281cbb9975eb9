//! The output of a command: its end in memory, all of it in a file when it is long. Memory stays bounded whatever the command prints.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::output::{self, MAX_BYTES, MAX_LINES};

/// Bytes of one output that are kept in the file.
const MAX_KEPT: u64 = 64 * 1024 * 1024;
/// The end that stays in memory: at least the limit of one answer, with room for characters that are cut.
const KEEP: usize = MAX_BYTES + 16;

/// Collects one output.
pub(super) struct Spill {
    path: PathBuf,
    end: Vec<u8>,
    total: u64,
    lines: usize,
    file: Option<File>,
    kept: u64,
    failure: Option<io::Error>,
    closed: bool,
}

/// What was collected.
pub(super) struct Collected {
    pub(super) text: String,
    pub(super) total_bytes: u64,
    pub(super) truncated: bool,
    /// The file with the full output, if one was needed and could be written.
    pub(super) file: Option<PathBuf>,
    /// Bytes in that file; fewer than `total_bytes` when the output was too long to keep.
    pub(super) kept_bytes: u64,
    pub(super) failure: Option<io::Error>,
}

impl Spill {
    /// `path` is where a long output goes; it is made when needed.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, end: Vec::new(), total: 0, lines: 0, file: None, kept: 0, failure: None, closed: false }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.closed {
            return;
        }
        self.total += bytes.len() as u64;
        if self.file.is_none() {
            self.lines += bytes.split(|byte| *byte == b'\n').count() - 1;
        }
        let is_long = self.total > MAX_BYTES as u64 || self.lines >= MAX_LINES;
        if is_long && self.file.is_none() && self.failure.is_none() {
            // Until now everything is still in memory.
            let result = self.begin_file();
            self.note(result);
        }
        self.append(bytes);
        self.end.extend_from_slice(bytes);
        if self.end.len() > 2 * KEEP {
            self.end.drain(..self.end.len() - KEEP);
        }
    }

    /// Ends the collection; what comes later is dropped.
    pub(super) fn close(&mut self) -> Collected {
        self.closed = true;
        let start = self.end.len().saturating_sub(KEEP);
        let text = String::from_utf8_lossy(&self.end[start..]);
        let (shown, cut) = output::tail(&text);
        Collected {
            text: shown.to_owned(),
            total_bytes: self.total,
            truncated: cut || start > 0 || self.total > self.end.len() as u64,
            file: self.file.take().map(|_| self.path.clone()),
            kept_bytes: self.kept,
            failure: self.failure.take(),
        }
    }

    fn begin_file(&mut self) -> io::Result<()> {
        if let Some(parent) = self.path.parent().filter(|parent| *parent != Path::new("")) {
            fs::create_dir_all(parent)?;
        }
        // A new file: whatever lies there, a link for instance, is not followed.
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = File::create_new(&self.path)?;
        file.write_all(&self.end)?;
        self.kept = self.end.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = usize::try_from(MAX_KEPT - self.kept).unwrap_or(usize::MAX).min(bytes.len());
        if let Some(file) = self.file.as_mut().filter(|_| room > 0) {
            let result = file.write_all(&bytes[..room]);
            if result.is_ok() {
                self.kept += room as u64;
            }
            self.note(result);
        }
    }

    /// A full disk ends the keeping, not the command.
    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.file = None;
            self.failure = Some(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_output_needs_no_file() {
        let directory = tempfile::tempdir().expect("temp");
        let mut spill = Spill::new(directory.path().join("deep/out.log"));
        spill.push(b"a\nb\n");
        let collected = spill.close();
        assert_eq!((collected.text.as_str(), collected.truncated, collected.file), ("a\nb\n", false, None));
    }

    #[test]
    fn an_endless_output_keeps_memory_and_file_bounded() {
        let directory = tempfile::tempdir().expect("temp");
        let path = directory.path().join("deep/out.log");
        let mut spill = Spill::new(path.clone());
        let line = format!("{}\n", "x".repeat(1023)).repeat(1024);
        for _ in 0..200 {
            spill.push(line.as_bytes());
            assert!(spill.end.capacity() <= 4 * 1024 * 1024);
        }
        let collected = spill.close();
        assert_eq!((collected.total_bytes, collected.kept_bytes), (200 << 20, MAX_KEPT));
        assert_eq!(fs::metadata(&path).expect("file").len(), MAX_KEPT);
        assert!(collected.truncated && collected.text.len() <= MAX_BYTES && collected.text.starts_with('x'));
    }

    #[test]
    fn many_short_lines_are_kept_from_the_first_on() {
        let directory = tempfile::tempdir().expect("temp");
        let path = directory.path().join("out.log");
        let mut spill = Spill::new(path.clone());
        for number in 1..=5000 {
            spill.push(format!("{number}\n").as_bytes());
        }
        let collected = spill.close();
        assert!(collected.truncated && collected.text.starts_with("3001\n") && collected.text.ends_with("5000\n"));
        assert_eq!(fs::read_to_string(path).expect("reads").lines().count(), 5000);
    }

    #[test]
    fn where_nothing_can_be_kept_the_command_still_has_its_end_shown() {
        let mut spill = Spill::new(PathBuf::from("/proc/nowhere/out.log"));
        spill.push("line\n".repeat(20_000).as_bytes());
        let collected = spill.close();
        assert!(collected.failure.is_some() && collected.file.is_none() && collected.text.lines().count() == MAX_LINES);
    }
}
