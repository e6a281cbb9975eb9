//! `find`: names below a directory that match a glob.

use serde::Deserialize;
use serde_json::{Value, json};
use wire::hands::ToolOutcome;
use wire::message::Block;

use crate::control::CallControl;
use crate::output;
use crate::workspace::Workspace;

use super::FileError;
use super::error::{arguments, go_on, start};
use super::walk::{Pattern, below};

const MAX_RESULTS: usize = 1000;

#[derive(Deserialize)]
struct Arguments {
    pattern: String,
    path: Option<String>,
    limit: Option<usize>,
}

pub(super) fn run(workspace: &Workspace, given: Value, control: &CallControl) -> Result<ToolOutcome, FileError> {
    let Arguments { pattern, path, limit } = arguments(given)?;
    let pattern = Pattern::new(&pattern)?;
    let start = start(workspace, path.as_deref())?;
    let limit = limit.unwrap_or(MAX_RESULTS).clamp(1, MAX_RESULTS);
    let mut text = String::new();
    let mut found = 0;
    let mut truncated = false;
    for entry in below(&start) {
        go_on(control)?;
        // An unreadable directory hides what is in it, as it does for the shell.
        let Ok(entry) = entry else { continue };
        let relative = entry.path().strip_prefix(&start).unwrap_or(entry.path());
        if relative.as_os_str().is_empty() || !pattern.matches(relative) {
            continue;
        }
        if found == limit {
            truncated = true;
            break;
        }
        found += 1;
        text.push_str(&workspace.display(entry.path()));
        text.push_str(if entry.file_type().is_some_and(|kind| kind.is_dir()) { "/\n" } else { "\n" });
    }
    let (shown, cut) = output::head(&text);
    let mut shown = if found == 0 { "No files found matching the pattern".to_owned() } else { shown.to_owned() };
    if truncated || cut {
        shown = format!("{shown}\n[Cut after {} results. Use a narrower pattern or path.]", shown.lines().count());
    }
    Ok(ToolOutcome {
        content: vec![Block::text(shown)],
        details: Some(json!({ "found": found, "truncated": truncated || cut })),
        is_error: false,
    })
}
