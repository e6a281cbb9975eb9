//! One server process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

use super::binaries;
use crate::client::{Api, http};

/// What a server is started with, besides its port.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Logs, and the data below `data`. Servers on one database share it, as they would share a file system.
    pub(super) folder: PathBuf,
    pub(super) environment: Vec<(String, String)>,
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Node {
    settings: Settings,
    port: u16,
    server: Child,
}

impl Node {
    pub(super) async fn start(settings: Settings) -> anyhow::Result<Self> {
        let port = free_port()?;
        let server = spawn(&settings, port)?;
        let mut node = Self { settings, port, server };
        node.healthy().await?;
        Ok(node)
    }

    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same caller, calling this server.
    pub fn asked_by(&self, api: &Api) -> Api {
        api.at(&self.base_url())
    }

    /// The server's process id.
    pub fn pid(&self) -> Option<u32> {
        self.server.id()
    }

    /// All that the server has logged so far.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(log_file(&self.settings.folder, self.port))?)
    }

    /// Ends the server as a power cut would (`SIGKILL`).
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.server.kill().await?)
    }

    /// Asks the server to stop (`SIGTERM`) and waits for its end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.server.id() {
            Command::new("kill").arg("-TERM").arg(pid.to_string()).status().await?;
        }
        let status = self.server.wait().await?;
        if status.success() { Ok(()) } else { bail!("the server did not stop cleanly ({status}):\n{}", self.log()?) }
    }

    /// Starts the server again, on the same port and data.
    pub(super) async fn again(&mut self) -> anyhow::Result<()> {
        self.server = spawn(&self.settings, self.port)?;
        self.healthy().await
    }

    async fn healthy(&mut self) -> anyhow::Result<()> {
        let client = http();
        let url = format!("{}/health", self.base_url());
        for _ in 0..1200 {
            if let Some(status) = self.server.try_wait()? {
                bail!("the server ended at once ({status}):\n{}", self.log()?);
            }
            if client.get(&url).send().await.is_ok_and(|response| response.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        bail!("the server did not become healthy:\n{}", self.log()?)
    }
}

/// A port that is free now. Another process may take it in the moment before the server does; then the start fails loudly.
fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn log_file(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!("server-{port}.log"))
}

fn spawn(settings: &Settings, port: u16) -> anyhow::Result<Child> {
    let binary = binaries()?.join("appstrate");
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log_file(&settings.folder, port))?;
    let mut command = Command::new(&binary);
    command
        .arg("serve")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("PORT", port.to_string())
        .env("APP_URL", format!("http://127.0.0.1:{port}"))
        .env("DATA_DIR", settings.folder.join("data"))
        .env("LOG_LEVEL", "debug")
        // Stories are in a hurry; those about limits set their own.
        .env("RATE_LIMITS", super::PLENTY)
        .envs(settings.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true);
    command.spawn().with_context(|| format!("could not start {}; build the binaries first (`make build`)", binary.display()))
}
