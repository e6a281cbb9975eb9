//! Why a file tool could not do what it was asked.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::libc;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::hands::ToolOutcome;

use crate::control::{CallControl, Stop};
use crate::host::calls::stopped_message;
use crate::workspace::{PathError, Workspace};

#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("the arguments do not fit the tool: {0}")]
    Arguments(#[source] serde_json::Error),
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("could not {action} '{path}': {source}")]
    Io { action: &'static str, path: String, source: io::Error },
    #[error("'{0}' is a directory; use ls")]
    Directory(String),
    #[error("'{0}' is not a regular file")]
    Special(String),
    #[error("{0}")]
    Refused(String),
    #[error("{}", stopped_message(*.0))]
    Stopped(Stop),
}

impl FileError {
    pub(crate) fn into_outcome(self) -> ToolOutcome {
        ToolOutcome::error(self.to_string())
    }
}

/// The arguments of a call as the tool's own type.
pub(crate) fn arguments<T: DeserializeOwned>(arguments: Value) -> Result<T, FileError> {
    serde_json::from_value(arguments).map_err(FileError::Arguments)
}

/// Fails when the call was cancelled or its time is over.
pub(crate) fn go_on(control: &CallControl) -> Result<(), FileError> {
    control.stopped().map_or(Ok(()), |stop| Err(FileError::Stopped(stop)))
}

/// Opens a regular file for reading; a FIFO or device cannot hang the call.
pub(crate) fn open_regular(workspace: &Workspace, path: &Path) -> Result<File, FileError> {
    let shown = workspace.display(path);
    let failed = |source| FileError::Io { action: "read", path: shown.clone(), source };
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    match () {
        () if metadata.is_dir() => Err(FileError::Directory(shown)),
        () if !metadata.is_file() => Err(FileError::Special(shown)),
        () => Ok(file),
    }
}

/// The directory that a search starts from: the named one, or the workspace.
pub(crate) fn start(workspace: &Workspace, path: Option<&str>) -> Result<PathBuf, FileError> {
    let start = workspace.resolve(path.unwrap_or("."))?;
    match start.symlink_metadata() {
        Ok(_) => Ok(start),
        Err(source) => Err(FileError::Io { action: "open", path: workspace.display(&start), source }),
    }
}
