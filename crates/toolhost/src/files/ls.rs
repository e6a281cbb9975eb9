//! `ls`: the names in one directory.

use std::fs;

use serde::Deserialize;
use serde_json::{Value, json};
use wire::hands::ToolOutcome;
use wire::message::Block;

use crate::control::CallControl;
use crate::output;
use crate::workspace::Workspace;

use super::FileError;
use super::error::{arguments, go_on, start};

const MAX_ENTRIES: usize = 500;
/// Names that are looked at; above, the order is that of the directory.
const MAX_SORTED: usize = 100_000;

#[derive(Deserialize)]
struct Arguments {
    path: Option<String>,
    limit: Option<usize>,
}

pub(super) fn run(workspace: &Workspace, given: Value, control: &CallControl) -> Result<ToolOutcome, FileError> {
    let Arguments { path, limit } = arguments(given)?;
    let directory = start(workspace, path.as_deref())?;
    let shown = workspace.display(&directory);
    let failed = |source| FileError::Io { action: "list", path: shown.clone(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory).map_err(failed)?.take(MAX_SORTED) {
        if names.len().is_multiple_of(1024) {
            go_on(control)?;
        }
        let entry = entry.map_err(failed)?;
        // An entry may vanish between listing and looking at it: then it is shown as a file.
        let is_directory = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
        names.push((entry.file_name().to_string_lossy().into_owned(), is_directory));
    }
    names.sort_by_cached_key(|(name, _)| (name.to_lowercase(), name.clone()));
    let limit = limit.unwrap_or(MAX_ENTRIES).clamp(1, MAX_ENTRIES);
    let total = names.len();
    let ends = |directory: bool| if directory { "/\n" } else { "\n" };
    let text: String = names.iter().take(limit).flat_map(|(name, directory)| [name.as_str(), ends(*directory)]).collect();
    let (text, cut) = output::head(&text);
    let mut text = if total == 0 { "(empty directory)".to_owned() } else { text.to_owned() };
    let truncated = cut || total > limit;
    if truncated {
        text = format!("{text}\n[{} of {total} entries shown]", text.lines().count());
    }
    Ok(ToolOutcome {
        content: vec![Block::text(text)],
        details: Some(json!({ "entries": total, "truncated": truncated })),
        is_error: false,
    })
}
