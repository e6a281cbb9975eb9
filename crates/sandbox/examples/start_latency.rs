//! Prints how long sandboxes take to stand: `cargo run --release -p sandbox --example start_latency [count]`.
//!
//! The example is its own tool host, so its size is not that of the product's; `bench/` measures that one.

use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::{NamespaceSandbox, Sandbox, SandboxSpec, ToolhostImage, UidRange};
use wire::run_spec::SandboxLimits;

const WARM_UP: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("launch") {
        let mut socket = sandbox::launcher::enter()?.socket;
        let mut byte = [0];
        while socket.read(&mut byte)? == 1 {
            socket.write_all(&byte)?;
        }
        return Ok(());
    }
    let count = argument.map_or(Ok(40), |text| text.parse())?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(measure(count))
}

async fn measure(count: usize) -> Result<(), Box<dyn Error>> {
    let image = Arc::new(ToolhostImage::open(Path::new("/proc/self/exe"))?);
    let sandbox = NamespaceSandbox::new(Arc::clone(&image), UidRange::default());
    let report = sandbox.probe().await?;
    let (mut ready, mut answered, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..count + WARM_UP {
        let begin = Instant::now();
        let spec = SandboxSpec::new(format!("latency_{number}"), SandboxLimits::default(), Arc::clone(&image));
        let mut started = sandbox.start(spec).await?;
        let at_ready = begin.elapsed();
        let mut tools = UnixStream::from(started.tools);
        tools.write_all(b"x")?;
        tools.read_exact(&mut [0])?;
        let at_answer = begin.elapsed();
        let end = Instant::now();
        started.handle.kill();
        started.handle.wait().await;
        if number >= WARM_UP {
            ready.push(at_ready);
            answered.push(at_answer);
            gone.push(end.elapsed());
        }
    }
    let mut out = std::io::stdout();
    writeln!(out, "{report:?}")?;
    for (name, mut times) in [("start to ready", ready), ("start to first answer", answered), ("kill to gone", gone)] {
        times.sort();
        writeln!(
            out,
            "{name}: n={count} min={:?} p50={:?} p99={:?} max={:?}",
            at(&times, 0),
            at(&times, 50),
            at(&times, 99),
            at(&times, 100)
        )?;
    }
    Ok(())
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}
