//! The file tools. Paths are relative to the workspace; what is shown to the model is bounded; every failure says what to do about it.

mod edit;
mod error;
mod find;
mod grep;
mod lines;
mod ls;
mod read;
mod walk;
mod write;

use serde_json::Value;
use wire::hands::ToolOutcome;

use crate::control::CallControl;
use crate::workspace::Workspace;

pub(crate) use error::FileError;

pub(crate) type FileTool = fn(&Workspace, Value, &CallControl) -> Result<ToolOutcome, FileError>;

/// The file tool of this name.
pub(crate) fn find_tool(name: &str) -> Option<FileTool> {
    Some(match name {
        "read" => read::run,
        "write" => write::run,
        "edit" => edit::run,
        "ls" => ls::run,
        "find" => find::run,
        "grep" => grep::run,
        _ => return None,
    })
}
