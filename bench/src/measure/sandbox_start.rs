//! The rung `namespace` as the worker uses it: from the call of `start` until every restriction is in force and the tool host stands.

use std::sync::Arc;
use std::time::Instant;

use sandbox::{NamespaceSandbox, Sandbox as _, SandboxSpec, ToolhostImage, UidRange};
use testkit::system::binaries;
use wire::run_spec::SandboxLimits;

use crate::Options;
use crate::report::{Bar, Report};

pub(crate) async fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let image = Arc::new(ToolhostImage::open(&binaries()?.join("appstrate-toolhost"))?);
    let sandbox = NamespaceSandbox::new(image.clone(), UidRange::default());
    let mut starts = Vec::new();
    let mut ends = Vec::new();
    // The first five warm the page cache and are thrown away.
    for round in 0..options.count(305, 15) {
        let spec = SandboxSpec::new(format!("bench-{round}"), SandboxLimits::default(), image.clone());
        let begin = Instant::now();
        let mut started = sandbox.start(spec).await?;
        let start = begin.elapsed();
        let begin = Instant::now();
        started.handle.kill();
        started.handle.wait().await;
        if round >= 5 {
            starts.push(start);
            ends.push(begin.elapsed());
        }
    }
    report.durations("start, one at a time", &starts, Bar::AtMost { p50: 12.0, p99: Some(25.0) });
    report.durations("kill until nothing is left", &ends, Bar::None);
    Ok(())
}
