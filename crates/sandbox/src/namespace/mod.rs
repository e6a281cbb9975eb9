//! The rung `namespace`: the launcher of this crate, on Linux 5.12 or newer.

mod remedy;
mod start;
mod uids;
mod watch;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use wire::run_spec::SandboxLimits;

pub use uids::UidRange;

use crate::cgroup;
use crate::contract::{ProbeReport, Sandbox, SandboxError, SandboxSpec, Started, Unavailable};
use crate::image::ToolhostImage;
use crate::protocol::CgroupPlan;
use uids::Uids;

const RUNG: &str = "namespace";

/// Sandboxes made of kernel namespaces.
#[derive(Debug)]
pub struct NamespaceSandbox {
    cgroup: CgroupPlan,
    uids: Arc<Uids>,
    /// What the probe starts.
    toolhost: Arc<ToolhostImage>,
}

impl NamespaceSandbox {
    /// Looks at what this process may do: as root each run gets a uid of `range` for itself, as another user its own.
    ///
    /// Cgroups that a worker left when it was killed together with its guards are removed.
    pub fn new(toolhost: Arc<ToolhostImage>, range: UidRange) -> Self {
        let cgroup = cgroup::discover();
        for path in cgroup::sweep(&cgroup) {
            tracing::info!(path = %path.display(), "removed the cgroup of a sandbox whose worker was killed");
        }
        Self { cgroup, uids: Arc::new(Uids::new(range, nix::unistd::geteuid().is_root())), toolhost }
    }

    /// Uses no cgroup, even where one is writable: init sums memory itself.
    #[must_use]
    pub fn without_cgroups(mut self) -> Self {
        self.cgroup = CgroupPlan::None;
        self
    }
}

#[async_trait]
impl Sandbox for NamespaceSandbox {
    fn rung(&self) -> &'static str {
        RUNG
    }

    async fn probe(&self) -> Result<ProbeReport, Unavailable> {
        let spec = SandboxSpec::new("probe", SandboxLimits::default(), Arc::clone(&self.toolhost));
        let begin = Instant::now();
        let (mut started, landlock) = start::start(self, spec).await.map_err(|error| remedy::explain(&error))?;
        let start = begin.elapsed();
        started.handle.kill();
        started.handle.wait().await;
        Ok(ProbeReport { rung: RUNG, start, cgroup: self.cgroup.name(), landlock, users: self.uids.describe() })
    }

    async fn start(&self, spec: SandboxSpec) -> Result<Started, SandboxError> {
        start::start(self, spec).await.map(|(started, _)| started)
    }
}
