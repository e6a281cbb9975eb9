//! The server process of the demo.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

use super::Options;

/// The running server. Killed when dropped.
pub(super) struct Server(Child);

/// Starts `appstrate serve`, which lies beside this binary, and waits until it is healthy.
pub(super) async fn start(options: &Options, model: SocketAddr, customer_api: SocketAddr) -> anyhow::Result<Server> {
    let binary = std::env::current_exe()?.with_file_name("appstrate");
    let child = Command::new(&binary)
        .arg("serve")
        .env("PORT", options.port.to_string())
        .env("APP_URL", options.base_url())
        .env("DATA_DIR", options.data_dir())
        .env("LOG_LEVEL", &options.log_level)
        .env("OUTBOUND_ALLOW", format!("models={model},providers={customer_api}"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("could not start {}", binary.display()))?;
    let mut server = Server(child);
    let health = format!("{}/health", options.base_url());
    let client = crate::client::http();
    // Half a minute covers a slow disk; a start takes well below a second.
    for _ in 0..600 {
        if let Some(status) = server.0.try_wait()? {
            bail!("the server ended at once ({status}); its log is above");
        }
        if client.get(&health).send().await.is_ok_and(|response| response.status().is_success()) {
            return Ok(server);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("the server did not become healthy")
}

impl Server {
    /// Waits for the server to end by itself.
    pub(super) async fn wait(&mut self) -> anyhow::Result<()> {
        let status = self.0.wait().await?;
        if status.success() { Ok(()) } else { bail!("the server ended ({status})") }
    }

    /// Asks the server to stop and waits for it.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.0.id() {
            Command::new("kill").arg("-TERM").arg(pid.to_string()).status().await?;
        }
        let status = self.0.wait().await?;
        if status.success() { Ok(()) } else { bail!("the server did not stop cleanly ({status})") }
    }
}
