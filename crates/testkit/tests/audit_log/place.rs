//! Where the server keeps its log, and a hand in it that is not the server's.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::ensure;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use testkit::system::{Options, System};

/// 32 bytes in base64.
pub(crate) const MASTER_KEY: &str = "bWFzdGVyLWtleS1vZi10aGUtbG9nLWluLWl0cy10c3Q=";

pub(crate) enum Place {
    Sqlite,
    Postgres { url: String },
}

#[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok()
}

impl Place {
    /// Every engine at hand.
    pub(crate) async fn each() -> anyhow::Result<Vec<Self>> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mut places = vec![Self::Sqlite];
        if let Some(server) = server() {
            let name = format!("appstrate_log_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
            execute(&server, &format!("CREATE DATABASE {name}")).await?;
            let (before, _) = server.rsplit_once('/').expect("a database URL with a database");
            places.push(Self::Postgres { url: format!("{before}/{name}") });
        }
        Ok(places)
    }

    pub(crate) fn options(&self) -> Options {
        match self {
            Self::Sqlite => Options::default(),
            Self::Postgres { url } => {
                let key = ("CONNECTION_ENCRYPTION_KEY".to_owned(), MASTER_KEY.to_owned());
                Options { database_url: Some(url.clone()), environment: vec![key] }
            }
        }
    }

    /// Changes the database past the server.
    pub(crate) async fn change(&self, system: &System, sql: &str) -> anyhow::Result<()> {
        let changed = match self {
            Self::Sqlite => {
                let mut connection =
                    SqliteConnection::connect(&format!("sqlite://{}", system.data_dir().join("appstrate.db").display())).await?;
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?.rows_affected()
            }
            Self::Postgres { url } => execute(url, sql).await?,
        };
        ensure!(changed > 0, "nothing was there to change: {sql}");
        Ok(())
    }

    pub(crate) async fn remove(self) -> anyhow::Result<()> {
        if let (Self::Postgres { url }, Some(server)) = (self, server()) {
            let (_, name) = url.rsplit_once('/').expect("a database URL with a database");
            execute(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        }
        Ok(())
    }
}

async fn execute(url: &str, sql: &str) -> anyhow::Result<u64> {
    let mut connection = PgConnection::connect(url).await?;
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?.rows_affected();
    connection.close().await?;
    Ok(done)
}
