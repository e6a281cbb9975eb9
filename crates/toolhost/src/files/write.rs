//! `write`: a whole file, its directories made as needed.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use wire::hands::ToolOutcome;

use crate::control::CallControl;
use crate::workspace::Workspace;

use super::FileError;
use super::error::{arguments, go_on};

#[derive(Deserialize)]
struct Arguments {
    path: String,
    content: String,
}

pub(super) fn run(workspace: &Workspace, given: Value, control: &CallControl) -> Result<ToolOutcome, FileError> {
    let Arguments { path, content } = arguments(given)?;
    let target = workspace.resolve(&path)?;
    workspace.exclusively(&target, || {
        go_on(control)?;
        let failed = |source| FileError::Io { action: "write", path: path.clone(), source };
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        refuse_special(&target, &path)?;
        fs::write(&target, &content).map_err(failed)?;
        Ok(ToolOutcome::text(format!("Wrote {} bytes to {path}", content.len())))
    })
}

/// Writing to a FIFO would wait for a reader that may never come.
fn refuse_special(target: &Path, shown: &str) -> Result<(), FileError> {
    match fs::metadata(target) {
        Ok(metadata) if metadata.is_dir() => Err(FileError::Refused(format!("'{shown}' is a directory"))),
        Ok(metadata) if !metadata.is_file() => Err(FileError::Special(shown.to_owned())),
        _ => Ok(()),
    }
}
