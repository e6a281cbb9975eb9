//! `bash`: one command in its own process group, with bounded time and output, and nothing of it left behind when it is stopped.

mod children;
mod command;
mod spill;
mod tree;

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wire::hands::{Call, ToolOutcome};

use crate::control::CallControl;
use crate::workspace::Workspace;

pub(crate) use children::Children;

/// The tool's name.
pub(crate) const NAME: &str = "bash";

/// Kept outputs; the oldest goes when a further one comes.
const MAX_KEPT_OUTPUTS: usize = 8;

/// The time that a call of `bash` asks for in its arguments; `None` for other tools and when it asks for none.
pub(crate) fn asked_time(call: &Call) -> Option<Duration> {
    if call.tool == NAME { command::asked_time(call) } else { None }
}

/// Kills every process that a command of this host has left, in the background or not.
pub(crate) fn kill_everything() {
    tree::kill_all(&tree::mark_of_all());
}

/// Runs the commands of one run.
pub(crate) struct Shell {
    environment: Arc<BTreeMap<String, String>>,
    children: Children,
    kept: Mutex<VecDeque<PathBuf>>,
}

impl Shell {
    pub(crate) fn new(environment: Arc<BTreeMap<String, String>>, children: Children) -> Self {
        Self { environment, children, kept: Mutex::default() }
    }

    /// Carries out one call of `bash`.
    pub(crate) fn run(&self, workspace: &Workspace, call: Call, control: &Arc<CallControl>) -> ToolOutcome {
        command::run(self, workspace, call, control).unwrap_or_else(|error| ToolOutcome::error(error.to_string()))
    }

    /// Remembers a kept output and forgets the oldest.
    fn keep(&self, path: PathBuf) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(path);
        if kept.len() > MAX_KEPT_OUTPUTS
            && let Some(oldest) = kept.pop_front()
        {
            // The command or the model may have removed it already.
            let _gone = fs::remove_file(oldest);
        }
    }
}
