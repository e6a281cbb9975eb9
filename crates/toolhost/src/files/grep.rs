//! `grep`: lines that match a pattern, in a file or below a directory.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::hands::ToolOutcome;
use wire::message::Block;

use crate::control::CallControl;
use crate::output::{self, MAX_BYTES};
use crate::workspace::Workspace;

use super::FileError;
use super::error::{arguments, go_on, open_regular, start};
use super::lines::next_line;
use super::walk::{Pattern, below};

const MAX_MATCHES: usize = 100;
const MAX_CONTEXT: usize = 20;
/// Characters of a line that are shown.
const MAX_LINE: usize = 500;
/// Bytes of a line that are searched.
const MAX_SEARCHED: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arguments {
    pattern: String,
    path: Option<String>,
    glob: Option<String>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    literal: bool,
    #[serde(default)]
    context: usize,
    limit: Option<usize>,
}

struct Search<'a> {
    workspace: &'a Workspace,
    control: &'a CallControl,
    regex: Regex,
    context: usize,
    limit: usize,
    text: String,
    matches: usize,
    cut_lines: bool,
}

pub(super) fn run(workspace: &Workspace, given: Value, control: &CallControl) -> Result<ToolOutcome, FileError> {
    let given: Arguments = arguments(given)?;
    let glob = given.glob.as_deref().map(Pattern::new).transpose()?;
    let pattern = if given.literal { regex::escape(&given.pattern) } else { given.pattern };
    let regex = RegexBuilder::new(&pattern)
        .case_insensitive(given.ignore_case)
        .build()
        .map_err(|error| FileError::Refused(format!("the pattern is not valid (set literal to search for plain text): {error}")))?;
    let start = start(workspace, given.path.as_deref())?;
    let limit = given.limit.unwrap_or(MAX_MATCHES).clamp(1, MAX_MATCHES);
    let context = given.context.min(MAX_CONTEXT);
    let mut search = Search { workspace, control, regex, context, limit, text: String::new(), matches: 0, cut_lines: false };
    if start.is_dir() {
        for entry in below(&start) {
            go_on(control)?;
            // An unreadable directory hides what is in it, as it does for the shell.
            let Ok(entry) = entry else { continue };
            let relative = entry.path().strip_prefix(&start).unwrap_or(entry.path());
            if !entry.file_type().is_some_and(|kind| kind.is_file()) || glob.as_ref().is_some_and(|glob| !glob.matches(relative)) {
                continue;
            }
            match search.file(entry.path()) {
                // A file that vanished or may not be read has no lines to show.
                Ok(()) | Err(FileError::Io { .. } | FileError::Directory(_) | FileError::Special(_)) => {}
                Err(error) => return Err(error),
            }
            if search.full() {
                break;
            }
        }
    } else {
        search.file(&start)?;
    }
    Ok(search.into_outcome())
}

impl Search<'_> {
    fn full(&self) -> bool {
        self.matches >= self.limit || self.text.len() > MAX_BYTES
    }

    fn file(&mut self, path: &Path) -> Result<(), FileError> {
        let shown = self.workspace.display(path);
        let failed = |source| FileError::Io { action: "read", path: shown.clone(), source };
        let mut input = BufReader::with_capacity(64 * 1024, open_regular(self.workspace, path)?);
        if input.fill_buf().map_err(failed)?.contains(&0) {
            return Ok(());
        }
        let mut line = Vec::new();
        let mut before: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
        let mut after = 0;
        let mut number = 0_u64;
        while next_line(&mut input, &mut line, MAX_SEARCHED).map_err(failed)?.is_some() {
            number += 1;
            if number.is_multiple_of(1024) {
                go_on(self.control)?;
            }
            if !self.full() && self.regex.is_match(&line) {
                self.matches += 1;
                for (number, line) in before.drain(..) {
                    self.show(&shown, number, "-", &line);
                }
                self.show(&shown, number, ":", &line);
                after = self.context;
            } else if after > 0 {
                after -= 1;
                self.show(&shown, number, "-", &line);
            } else if self.full() {
                break;
            } else if self.context > 0 {
                if before.len() == self.context {
                    before.pop_front();
                }
                line.truncate(MAX_LINE * 4);
                before.push_back((number, line.clone()));
            }
        }
        Ok(())
    }

    fn show(&mut self, path: &str, number: u64, mark: &str, line: &[u8]) {
        let line = String::from_utf8_lossy(&line[..line.len().min(MAX_LINE * 4 + 4)]);
        let end = line.char_indices().nth(MAX_LINE).map_or(line.len(), |(at, _)| at);
        self.cut_lines |= end < line.len();
        let cut = if end < line.len() { "…" } else { "" };
        for part in [path, mark, &number.to_string(), mark, " ", &line[..end], cut, "\n"] {
            self.text.push_str(part);
        }
    }

    fn into_outcome(self) -> ToolOutcome {
        let (shown, cut) = output::head(&self.text);
        let mut text = if self.matches == 0 { "No matches found".to_owned() } else { shown.to_owned() };
        if cut || self.matches >= self.limit {
            text = format!("{text}\n[Stopped after {} matches. Use a narrower pattern, glob or path.]", self.matches);
        }
        if self.cut_lines {
            text = format!("{text}\n[Lines longer than {MAX_LINE} characters were cut. Use read to see them.]");
        }
        let details = json!({ "matches": self.matches, "truncated": cut || self.matches >= self.limit });
        ToolOutcome { content: vec![Block::text(text)], details: Some(details), is_error: false }
    }
}
