//! The whole server as its own process, with a scripted model and a customer API beside it, and tenants made over HTTP.
//!
//! For stories that need the real thing: real sandbox, real sidecar, real kills.

mod node;
mod tenant;

use std::path::PathBuf;

use anyhow::Context as _;
use tempfile::TempDir;

pub use node::Node;
pub(crate) use tenant::archive;
pub use tenant::{Agent, Customer, Tenant, is_ended};

use self::node::Settings;
use crate::client::Api;
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
    settings: Settings,
    node: Node,
    folder: TempDir,
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
        let (models, apis) = (model.address(), customer_api.address());
        let allow = format!("models={models},providers={apis},agents={apis}");
        let database = options.database_url.map(|url| ("DATABASE_URL".to_owned(), url));
        let environment = [("OUTBOUND_ALLOW".to_owned(), allow)].into_iter().chain(database).chain(options.environment).collect();
        let settings = Settings { folder: folder.path().to_owned(), environment };
        let node = Node::start(settings.clone()).await?;
        Ok(Self { model, customer_api, settings, node, folder })
    }

    /// Starts another server on the same database, files and keys, with these settings over the first one's.
    pub async fn another_node(&self, environment: &[(&str, &str)]) -> anyhow::Result<Node> {
        let mut settings = self.settings.clone();
        settings.environment.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Node::start(settings).await
    }

    pub fn base_url(&self) -> String {
        self.node.base_url()
    }

    /// The server's data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// All that the server has logged so far.
    pub fn log(&self) -> anyhow::Result<String> {
        self.node.log()
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
        self.node.kill().await?;
        self.node.again().await
    }

    /// Asks the server to stop (`SIGTERM`), waits for its end and starts it again on the same data.
    pub async fn stop_and_restart(&mut self) -> anyhow::Result<()> {
        self.node.stop().await?;
        self.node.again().await
    }

    /// Asks the server to stop (`SIGTERM`) and waits for its end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.node.stop().await
    }

    /// The server's process id.
    pub fn pid(&self) -> Option<u32> {
        self.node.pid()
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
