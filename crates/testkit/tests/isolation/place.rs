//! A system of its own for each story, on either engine.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use testkit::system::{Options, System};

/// The master key of the stories on PostgreSQL: 32 bytes in base64.
const MASTER_KEY: &str = "bWFzdGVyLWtleS1vZi10aGUtaXNvbGF0aW9uLXRlc3Q=";

/// Where the server keeps the master key that it makes for itself.
pub(crate) const KEY_FILE: &str = "connection-encryption.key";

/// A running system and where it keeps its rows.
pub(crate) struct Place {
    pub system: System,
    database: Option<Database>,
}

/// A database of the story's own.
struct Database {
    server: String,
    name: String,
}

impl Place {
    /// On the embedded default.
    pub(crate) async fn sqlite() -> anyhow::Result<Self> {
        Ok(Self { system: System::start().await?, database: None })
    }

    /// On PostgreSQL; `None` when no server is named.
    pub(crate) async fn postgres() -> anyhow::Result<Option<Self>> {
        let Some(server) = server() else { return Ok(None) };
        let database = Database::create(server).await?;
        let key = ("CONNECTION_ENCRYPTION_KEY".to_owned(), MASTER_KEY.to_owned());
        let system = System::start_with(Options { database_url: Some(database.url()), environment: vec![key] }).await?;
        Ok(Some(Self { system, database: Some(database) }))
    }

    /// What seals all stored credentials, as the operator keeps it.
    pub(crate) fn master_key(&self) -> anyhow::Result<String> {
        match self.database {
            Some(_) => Ok(MASTER_KEY.to_owned()),
            None => Ok(std::fs::read_to_string(self.system.data_dir().join(KEY_FILE))?.trim().to_owned()),
        }
    }

    /// Every row of the database as text, binary columns in hexadecimal. Empty on SQLite, whose rows are in the data folder.
    pub(crate) async fn rows(&self) -> anyhow::Result<Vec<(String, String)>> {
        match &self.database {
            Some(database) => database.rows().await,
            None => Ok(Vec::new()),
        }
    }

    /// Stops the server and removes what it kept.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        self.system.stop().await?;
        match self.database {
            Some(database) => database.remove().await,
            None => Ok(()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok()
}

impl Database {
    async fn create(server: String) -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("appstrate_isolation_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let database = Self { server, name };
        database.execute(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.name)).await?;
        database.execute(format!("CREATE DATABASE {}", database.name)).await?;
        Ok(database)
    }

    fn url(&self) -> String {
        let (before, _) = self.server.rsplit_once('/').expect("a database URL names a database");
        format!("{before}/{}", self.name)
    }

    async fn rows(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut connection = PgConnection::connect(&self.url()).await?;
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables \
             WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')",
        )
        .fetch_all(&mut connection)
        .await?;
        let mut all = Vec::new();
        for table in tables {
            let query = AssertSqlSafe(format!("SELECT row_to_json(t)::text FROM {table} t"));
            let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut connection).await?;
            all.push((table, rows.join("\n")));
        }
        connection.close().await?;
        Ok(all)
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
