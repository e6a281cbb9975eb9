//! From the start of the process to the first answer of `/health`, and what the server then needs while nothing happens.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use bench::load::{Connection, request};
use testkit::system::binaries;

use crate::Options;
use crate::report::{Bar, Report};
use crate::world::environment;

pub(crate) async fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let rounds = options.count(20, 3);
    let (fresh, warm) = tokio::task::spawn_blocking(move || rounds_of(rounds)).await??;
    report.durations("fresh data folder (SQLite), until `/health` answers", &fresh, Bar::at_most(800.0));
    report.durations("warm data folder (SQLite), until `/health` answers", &warm, Bar::at_most(250.0));
    Ok(())
}

fn rounds_of(rounds: usize) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    let (mut fresh, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let folder = tempfile::tempdir()?;
        fresh.push(start_and_stop(folder.path())?);
        warm.push(start_and_stop(folder.path())?);
    }
    Ok((fresh, warm))
}

fn start_and_stop(folder: &Path) -> anyhow::Result<Duration> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let begin = Instant::now();
    let mut server = Server(spawn(folder, address)?);
    let ready = healthy(&mut server.0, address)?.duration_since(begin);
    let pid = server.0.id().to_string();
    ensure!(Command::new("kill").args(["-TERM", &pid]).status()?.success(), "could not stop the server");
    let status = server.0.wait()?;
    ensure!(status.success(), "the server did not stop cleanly ({status})");
    Ok(ready)
}

fn spawn(folder: &Path, address: SocketAddr) -> anyhow::Result<Child> {
    let binary = binaries()?.join("appstrate");
    let mut command = Command::new(&binary);
    command
        .arg("serve")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("PORT", address.port().to_string())
        .env("DATA_DIR", folder.join("data"))
        .envs(environment(&[]))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().with_context(|| format!("could not start {}", binary.display()))
}

/// When the server first answered; looked at each millisecond.
fn healthy(server: &mut Child, address: SocketAddr) -> anyhow::Result<Instant> {
    let health = request("GET", "/health", &[], "");
    for _ in 0..30_000 {
        if Connection::open(address).is_ok_and(|mut connection| connection.exchange(&health).is_ok()) {
            return Ok(Instant::now());
        }
        if let Some(status) = server.try_wait()? {
            bail!("the server ended at once ({status})");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    bail!("the server did not become healthy")
}

/// Killed when dropped, so that a failure leaves nothing behind.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
