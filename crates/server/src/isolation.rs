//! The sandbox of this server, probed once as a whole before the first run.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use runs::SandboxSource;
use sandbox::{NamespaceSandbox, Sandbox as _, ToolhostImage};

use crate::env::RunAdapter;

/// The sandbox, and why it cannot be used, if it cannot.
pub(crate) struct Isolation {
    pub source: SandboxSource,
    /// For operators: what was refused and the remedy.
    pub unavailable: Option<String>,
}

/// Opens the tool host and builds one sandbox to see whether the kernel lets it work.
///
/// # Errors
/// When the tool host is missing. A kernel that refuses is no error: the server serves its API and refuses runs.
pub(crate) async fn prepare(adapter: RunAdapter, toolhost: Option<PathBuf>) -> anyhow::Result<Isolation> {
    let path = match toolhost {
        Some(path) => path,
        None => std::env::current_exe().context("could not find this binary's own path")?.with_file_name("appstrate-toolhost"),
    };
    let image = ToolhostImage::open(&path).with_context(|| format!("could not open the tool host {} (TOOLHOST_PATH)", path.display()))?;
    let toolhost = Arc::new(image);
    let sandbox = match adapter {
        RunAdapter::Namespace => Arc::new(NamespaceSandbox::new(toolhost.clone(), sandbox::namespace::UidRange::default())),
    };
    let unavailable = match sandbox.probe().await {
        Ok(report) => {
            tracing::info!(
                rung = report.rung,
                start_ms = report.start.as_secs_f64() * 1e3,
                cgroup = report.cgroup,
                landlock = report.landlock,
                users = report.users,
                "the sandbox works"
            );
            None
        }
        Err(refused) => {
            tracing::error!(%refused, "the sandbox does not work here; runs will be refused");
            Some(refused.to_string())
        }
    };
    Ok(Isolation { source: SandboxSource { sandbox, toolhost }, unavailable })
}
