//! TypeScript tools in the Pi SDK format: one QuickJS runtime and thread per package, replaced when a call has spoiled it.
//!
//! | module | owns |
//! |---|---|
//! | [`package`] | a package's current instance, and calls to it |
//! | [`instance`] | the thread: event loop, timers, deadlines |
//! | [`engine`] | the runtime: guards, prelude, turning the crank |
//! | [`modules`] | what `import` finds |
//! | [`transpile`] | TypeScript to JavaScript |
//! | [`natives`] | what the JavaScript prelude asks of Rust |
//! | [`http`] | `fetch` on the wire |

mod engine;
mod http;
mod instance;
mod modules;
mod natives;
mod package;
mod shared;
mod transpile;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use wire::hands::{Call, LoadFailure, LoadedTool, ToolModule, ToolOutcome};

use crate::control::CallControl;
use crate::files;
use crate::host::Outbox;
use crate::shell;
use crate::workspace::Workspace;

use package::Package;

/// What every runtime of the run shares.
pub(crate) struct Surroundings {
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) environment: Arc<BTreeMap<String, String>>,
    pub(crate) memory_bytes: u64,
}

/// The loaded tool packages of the run.
pub(crate) struct Packages {
    by_tool: HashMap<String, Arc<Package>>,
}

impl Packages {
    /// Loads all packages at the same time and reports them in the order given. A tool whose name is taken fails its package.
    pub(crate) fn load(modules: Vec<ToolModule>, surroundings: Surroundings) -> (Self, Vec<LoadedTool>, Vec<LoadFailure>) {
        let surroundings = Arc::new(surroundings);
        let starting: Vec<_> = modules.into_iter().map(|module| Package::start(module, Arc::clone(&surroundings))).collect();
        let (mut by_tool, mut loaded, mut failures) = (HashMap::new(), Vec::new(), Vec::new());
        for (package, loading) in starting {
            let package = Arc::new(package);
            match loading.wait().and_then(|tools| all_free(tools, &by_tool)) {
                Ok(tools) => {
                    for tool in tools {
                        by_tool.insert(tool.name.clone(), Arc::clone(&package));
                        let package = package.name().clone();
                        loaded.push(LoadedTool { package, name: tool.name, description: tool.description, parameters: tool.parameters });
                    }
                }
                Err(message) => failures.push(LoadFailure { package: package.name().clone(), message }),
            }
        }
        (Self { by_tool }, loaded, failures)
    }

    /// Carries out one call.
    pub(crate) fn call(&self, call: &Call, control: &Arc<CallControl>) -> ToolOutcome {
        match self.by_tool.get(&call.tool) {
            Some(package) => package.call(call, control),
            None => ToolOutcome::error(format!("there is no tool '{}' here", call.tool)),
        }
    }
}

fn all_free(tools: Vec<shared::Registered>, taken: &HashMap<String, Arc<Package>>) -> Result<Vec<shared::Registered>, String> {
    for tool in &tools {
        if tool.name == shell::NAME || files::find_tool(&tool.name).is_some() {
            return Err(format!("the tool name '{}' belongs to a built-in tool", tool.name));
        }
        if let Some(other) = taken.get(&tool.name) {
            return Err(format!("the tool name '{}' is already taken by {}", tool.name, other.name()));
        }
    }
    Ok(tools)
}
