//! Servers of the measured build, on either database.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bench::load;
use testkit::scripted_model::Step;
use testkit::system::{Agent, Customer, Options, System, Tenant};
use tokio::process::Command;

/// Where rows are kept.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite,
    /// A server on which a database is made for each world.
    Postgres {
        server: String,
    },
}

impl Database {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        }
    }
}

/// A server with one tenant, one agent and one end-user.
pub(crate) struct World {
    pub(crate) system: System,
    pub(crate) tenant: Tenant,
    pub(crate) agent: String,
    pub(crate) customer: Customer,
    /// `None`: SQLite.
    pub(crate) database_url: Option<String>,
}

impl World {
    /// Starts the server with these settings; the agent's model plays `steps`, for any number of runs.
    pub(crate) async fn start(database: &Database, settings: &[(&str, &str)], steps: Vec<Step>) -> anyhow::Result<Self> {
        let database_url = match database {
            Database::Sqlite => None,
            Database::Postgres { server } => Some(fresh_database(server).await?),
        };
        let system = System::start_with(Options { database_url: database_url.clone(), environment: environment(settings) }).await?;
        let tenant = system.tenant("bench").await?;
        system.model.by_turn(&tenant.script(), steps);
        let agent = tenant.agent(&Agent::named("worker")).await?;
        let customer = tenant.customer("customer").await?;
        Ok(Self { system, tenant, agent, customer, database_url })
    }

    pub(crate) fn server(&self) -> anyhow::Result<u32> {
        self.system.pid().context("the server runs")
    }

    /// The bytes that start a run, with these headers beside the key.
    pub(crate) fn start_request(&self, headers: &[String]) -> Vec<u8> {
        load::request("POST", &format!("/api/agents/{}/run", self.agent), &self.headers(headers), "{}")
    }

    /// The key's header, and these.
    pub(crate) fn headers(&self, more: &[String]) -> Vec<String> {
        std::iter::once(format!("authorization: Bearer {}", self.tenant.key)).chain(more.iter().cloned()).collect()
    }

    pub(crate) fn address(&self) -> anyhow::Result<std::net::SocketAddr> {
        Ok(self.system.base_url().trim_start_matches("http://").parse()?)
    }

    /// Waits until the model was asked `times` times in all.
    pub(crate) async fn asked(&self, times: usize) -> anyhow::Result<()> {
        for _ in 0..6000 {
            if self.system.model.received().len() >= times {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("the model was not asked {times} times:\n{}", self.system.log()?)
    }
}

/// What every measured server has: quiet logs, no limits on starts, a master key, loopback allowed.
pub(crate) fn environment(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let common = [
        ("LOG_LEVEL", "warn"),
        ("OUTBOUND_ALLOW", "all=127.0.0.0/8"),
        ("PLATFORM_RUN_LIMITS", r#"{"max_concurrent_per_org": 1000000, "per_org_global_rate_per_min": 1000000}"#),
        ("CONNECTION_ENCRYPTION_KEY", "YmVuY2gtbWFzdGVyLWtleS1ub3QtYS1zZWNyZXQtISE="),
    ];
    common.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// An empty database on the server.
async fn fresh_database(server: &str) -> anyhow::Result<String> {
    let name = format!("bench_{}", domain::RunId::new(&domain::RandomIds)).to_lowercase();
    let (base, _) = server.rsplit_once('/').context("a database URL names a database")?;
    run(Command::new("psql").args([server, "-qc", &format!("CREATE DATABASE {name}")])).await?;
    Ok(format!("{base}/{name}"))
}

/// Carries out SQL in the world's database, beside the server.
pub(crate) async fn run_sql(world: &World, file: &Path) -> anyhow::Result<()> {
    if let Some(url) = &world.database_url {
        return run(Command::new("psql").args([url, "-q", "-v", "ON_ERROR_STOP=1", "-1", "-f"]).arg(file)).await;
    }
    // Python brings SQLite along; its command-line program may be missing.
    let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(open(sys.argv[2]).read())";
    run(Command::new("python3").args(["-c", script]).arg(world.system.data_dir().join("appstrate.db")).arg(file)).await
}

async fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command.output().await.with_context(|| format!("could not start {program}"))?;
    ensure!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
