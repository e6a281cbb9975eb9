//! The probe as a worker: starts one sandbox and passes lines between standard input and the tools socket.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use sandbox::{NamespaceSandbox, Sandbox, SandboxSpec, Started, ToolhostImage, UidRange};
use wire::run_spec::SandboxLimits;

use crate::host;

const MIB: u64 = 1024 * 1024;

pub(crate) fn run(with_cgroups: bool) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let image = Arc::new(ToolhostImage::open(Path::new("/proc/self/exe"))?);
    let sandbox = NamespaceSandbox::new(Arc::clone(&image), UidRange::default());
    let sandbox = if with_cgroups { sandbox } else { sandbox.without_cgroups() };
    let report = runtime.block_on(sandbox.probe())?;
    let limits = SandboxLimits { memory_bytes: 128 * MIB, workspace_bytes: 16 * MIB, processes: 48, cpu_percent: 100 };
    let started = runtime.block_on(sandbox.start(SandboxSpec::new("run_worker", limits, image)))?;
    let Started { tools, proxy: _proxy, forward: _forward, handle } = started;
    let guard = handle.guard().unwrap_or_default();
    host::print(&format!("{guard} {} {} {}", report.cgroup, report.landlock, report.users))?;

    let mut requests = UnixStream::from(tools);
    let mut answers = BufReader::new(requests.try_clone()?);
    for line in io::stdin().lock().lines() {
        writeln!(requests, "{}", line?)?;
        let mut answer = String::new();
        answers.read_line(&mut answer)?;
        host::print(answer.trim_end())?;
    }
    Ok(())
}
