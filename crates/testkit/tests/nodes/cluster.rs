//! Two servers on a database of their own: `front` is API only, so that `back` carries out every run.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use testkit::scripted_model::{Step, call, say};
use testkit::system::{Agent, Customer, Node, Options, System, Tenant};

/// The master key of all nodes: 32 bytes in base64.
const MASTER_KEY: &str = "bWFzdGVyLWtleS1vZi10aGUtbm9kZXMtaW4tdGVzdHM=";

/// How the nodes reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Redis,
    /// NOTIFY of their PostgreSQL.
    Database,
}

pub(crate) struct Cluster {
    pub(crate) front: System,
    pub(crate) back: Node,
    pub(crate) tenant: Tenant,
    pub(crate) customer: Customer,
    database: Database,
}

impl Cluster {
    pub(crate) async fn start(line: Line) -> anyhow::Result<Self> {
        Self::start_with(line, &[]).await
    }

    /// As [`Self::start`], with these settings on both.
    pub(crate) async fn start_with(line: Line, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let database = Database::create().await?;
        let mut environment = vec![("CONNECTION_ENCRYPTION_KEY".to_owned(), MASTER_KEY.to_owned()), ("ROLE".to_owned(), "api".to_owned())];
        if line == Line::Redis {
            environment.push(("REDIS_URL".to_owned(), setting("TEST_REDIS_URL")));
        }
        // Last, so that a setting of the story's own counts.
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let front = System::start_with(Options { database_url: Some(database.url()), environment }).await?;
        let back = front.another_node(&[("ROLE", "all")]).await?;
        let tenant = front.tenant("acme").await?;
        let customer = tenant.customer("grace").await?;
        Ok(Self { front, back, tenant, customer, database })
    }

    /// Publishes an agent that plays these steps.
    pub(crate) async fn agent(&self, steps: Vec<Step>) -> anyhow::Result<String> {
        self.front.model.by_turn(&self.tenant.script(), steps);
        self.tenant.agent(&Agent { timeout_seconds: Some(120.0), ..Agent::named("worker") }).await
    }

    /// Waits until the run's log holds this event.
    pub(crate) async fn reached(&self, run: &str, event: &str) -> anyhow::Result<()> {
        for _ in 0..1_200 {
            if self.customer.log(run).await?.iter().any(|line| line["event"] == event) {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        anyhow::bail!("run {run} did not reach {event}:\n{}", self.back.log()?)
    }

    /// Ends every connection to the database, and lets none in.
    pub(crate) async fn lose_database(&self) -> anyhow::Result<()> {
        self.database.allow_connections(false).await?;
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ".to_owned();
        self.database.execute(format!("{end}'{}'", self.database.name)).await
    }

    pub(crate) async fn find_database(&self) -> anyhow::Result<()> {
        self.database.allow_connections(true).await
    }

    /// Stops all servers and removes what they kept.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        self.back.stop().await?;
        self.front.stop().await?;
        self.database.remove().await
    }

    /// As [`Self::end`], when `back` is dead already.
    pub(crate) async fn end_without_back(self) -> anyhow::Result<()> {
        self.front.stop().await?;
        self.database.remove().await
    }
}

/// A model that logs, slowly enough to be followed, and is done.
pub(crate) fn talkative(lines: usize) -> Vec<Step> {
    let line = |number| {
        let arguments = serde_json::json!({ "level": "info", "message": format!("line {number}") });
        call("log", arguments).after(std::time::Duration::from_millis(200))
    };
    (0..lines).map(line).chain([say("All of it was said.")]).collect()
}

/// A model that begins and then never answers.
pub(crate) fn endless() -> Vec<Step> {
    vec![call("log", serde_json::json!({ "level": "info", "message": "begun" })), Step::Hang]
}

/// # Panics
/// When the setting is missing: these tests are about nothing else.
#[expect(clippy::disallowed_methods, reason = "the settings of the tests")]
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run this through scripts/services.sh"))
}

/// A database of the story's own.
struct Database {
    server: String,
    name: String,
}

impl Database {
    async fn create() -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("appstrate_nodes_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let database = Self { server: setting("TEST_DATABASE_URL"), name };
        database.execute(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.name)).await?;
        database.execute(format!("CREATE DATABASE {}", database.name)).await?;
        Ok(database)
    }

    fn url(&self) -> String {
        let (before, _) = self.server.rsplit_once('/').expect("a database URL names a database");
        format!("{before}/{}", self.name)
    }

    async fn allow_connections(&self, allow: bool) -> anyhow::Result<()> {
        self.execute(format!("ALTER DATABASE {} ALLOW_CONNECTIONS {allow}", self.name)).await
    }

    async fn remove(self) -> anyhow::Result<()> {
        self.execute(format!("DROP DATABASE {} WITH (FORCE)", self.name)).await
    }

    async fn execute(&self, statement: String) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.server).await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }
}
