//! The whole server as its own process, with a scripted model and a customer API beside it, and tenants made over HTTP.
//!
//! For stories that need the real thing: real sandbox, real sidecar, real kills.

mod tenant;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub(crate) use tenant::archive;
pub use tenant::{Agent, Customer, Tenant, is_ended};

use crate::client::{Api, http};
use crate::customer_api::CustomerApi;
use crate::scripted_model::ScriptedModel;

/// What differs from the embedded default.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `None`: SQLite in the system's folder.
    pub database_url: Option<String>,
    /// More settings of the server.
    pub environment: Vec<(String, String)>,
}

/// A running server. Everything is killed and removed when dropped.
#[derive(Debug)]
pub struct System {
    pub model: ScriptedModel,
    pub customer_api: CustomerApi,
    options: Options,
    folder: TempDir,
    port: u16,
    server: Child,
}

/// The keys that the customer API knows, one for each customer.
pub const CUSTOMER_KEYS: [&str; 2] = ["customer-key-one-canary-4f7a", "customer-key-two-canary-9c3e"];

/// More keys that it knows: of an application that calls for itself, and of another tenant. Customers number 2 and 3.
///
/// The first has characters that change in URLs.
pub const MORE_KEYS: [&str; 2] = ["application-key/three+canary%=&7b1d", "other-tenant-key-four-canary-e02d"];

/// Rate limits that nothing here meets by accident.
const PLENTY: &str = r#"{
    "run": {"limit": 1000000}, "import": {"limit": 1000000}, "create": {"limit": 1000000}, "read": {"limit": 100000000},
    "write": {"limit": 1000000}, "auth": {"limit": 1000000}, "public": {"limit": 1000000}
}"#;

impl System {
    /// Starts on the embedded default.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> anyhow::Result<Self> {
        let model = ScriptedModel::start().await;
        let customer_api = CustomerApi::start(CUSTOMER_KEYS.into_iter().chain(MORE_KEYS).map(str::to_owned)).await;
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let server = spawn(&options, folder.path(), port, &model, &customer_api)?;
        let mut system = Self { model, customer_api, options, folder, port, server };
        system.healthy().await?;
        Ok(system)
    }

    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The server's data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// All that the server has logged so far.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("server.log"))?)
    }

    /// Calls without credentials.
    pub fn anonymous(&self) -> Api {
        Api::new(&self.base_url())
    }

    /// A new tenant: user, organization, default application, key and the scripted model.
    pub async fn tenant(&self, name: &str) -> anyhow::Result<Tenant> {
        Tenant::create(self, name).await
    }

    /// Kills the server as a power cut would (`SIGKILL`) and starts it again on the same data.
    pub async fn crash_and_restart(&mut self) -> anyhow::Result<()> {
        self.server.kill().await?;
        self.server = spawn(&self.options, self.folder.path(), self.port, &self.model, &self.customer_api)?;
        self.healthy().await
    }

    /// Asks the server to stop (`SIGTERM`), waits for its end and starts it again on the same data.
    pub async fn stop_and_restart(&mut self) -> anyhow::Result<()> {
        self.terminate().await?;
        self.server = spawn(&self.options, self.folder.path(), self.port, &self.model, &self.customer_api)?;
        self.healthy().await
    }

    /// Asks the server to stop (`SIGTERM`) and waits for its end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.terminate().await
    }

    async fn terminate(&mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.server.id() {
            Command::new("kill").arg("-TERM").arg(pid.to_string()).status().await?;
        }
        let status = self.server.wait().await?;
        if status.success() { Ok(()) } else { bail!("the server did not stop cleanly ({status}):\n{}", self.log()?) }
    }

    /// The server's process id.
    pub fn pid(&self) -> Option<u32> {
        self.server.id()
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

/// The folder of built binaries: that of this test or program, without `deps`.
pub fn binaries() -> anyhow::Result<PathBuf> {
    let mut folder = std::env::current_exe()?.parent().context("a program lies in a folder")?.to_owned();
    if folder.ends_with("deps") || folder.ends_with("examples") {
        folder.pop();
    }
    Ok(folder)
}

/// A port that is free now. Another process may take it in the moment before the server does; then the start fails loudly.
fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn spawn(options: &Options, folder: &Path, port: u16, model: &ScriptedModel, customer_api: &CustomerApi) -> anyhow::Result<Child> {
    let binary = binaries()?.join("appstrate");
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("server.log"))?;
    let mut command = Command::new(&binary);
    command
        .arg("serve")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("PORT", port.to_string())
        .env("APP_URL", format!("http://127.0.0.1:{port}"))
        .env("DATA_DIR", folder.join("data"))
        .env("LOG_LEVEL", "debug")
        // Stories are in a hurry; those about limits set their own.
        .env("RATE_LIMITS", PLENTY)
        .env("OUTBOUND_ALLOW", format!("models={},providers={},agents={}", model.address(), customer_api.address(), customer_api.address()))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true);
    if let Some(url) = &options.database_url {
        command.env("DATABASE_URL", url);
    }
    command.envs(options.environment.iter().map(|(name, value)| (name, value)));
    command.spawn().with_context(|| format!("could not start {}; build the binaries first (`make build`)", binary.display()))
}
