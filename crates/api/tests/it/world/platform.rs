//! The audit log as it stands in the table, also of the platform itself, which no tenant sees.

use audit::SigningKey;
use domain::OrgId;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};
use store::inspect::Mapped;
use tokio_util::sync::CancellationToken;

use super::{TestSealer, World};

/// A row of no tenant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PlatformAudit {
    pub(crate) route: String,
    pub(crate) status: Option<i64>,
    pub(crate) user: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) detail: String,
}

const ROWS: &str = "SELECT route, status, user_id, subject, detail FROM audit_entries WHERE org_id IS NULL ORDER BY id";

/// What a request has left: its id, the status, and all text that is kept of it.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) request: String,
    pub(crate) status: Option<i64>,
    pub(crate) text: String,
}

const TRACES: &str = "SELECT request_id, status, path || ' ' || coalesce(subject, '') || ' ' || detail FROM audit_entries ORDER BY id";

macro_rules! read {
    ($connection:ty, $url:expr, $sql:expr, $row:expr) => {{
        let mut connection = <$connection>::connect($url).await.unwrap();
        let rows = sqlx::query($sql).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows.into_iter().map($row).collect()
    }};
}

impl World {
    /// The rows of an organization's in a table, each as one text. On SQLite, where every column is read as text.
    pub(crate) async fn rows_of(&self, table: &Mapped, org: OrgId) -> Vec<String> {
        let owner = if table.name == "organizations" { "id" } else { "org_id" };
        // What is sealed or a hash is bytes, and tells nothing.
        let text = |column: &String| format!("CASE typeof({column}) WHEN 'null' THEN '' WHEN 'blob' THEN '' ELSE {column} END");
        let columns: Vec<_> = table.columns.iter().map(text).collect();
        let sql = format!("SELECT {} FROM {} WHERE {owner} = $1", columns.join(" || ' ' || "), table.name);
        let mut connection = SqliteConnection::connect(&self.database_url).await.unwrap();
        let rows = sqlx::query_scalar(AssertSqlSafe(sql)).bind(org.to_string()).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    }

    /// The rows of no tenant, oldest first.
    pub(crate) async fn platform_audit(&self) -> Vec<PlatformAudit> {
        let url = self.database_url.as_str();
        if url.starts_with("sqlite:") {
            read!(SqliteConnection, url, ROWS, |row| PlatformAudit {
                route: row.get(0),
                status: row.get(1),
                user: row.get(2),
                subject: row.get(3),
                detail: row.get(4)
            })
        } else {
            read!(PgConnection, url, ROWS, |row| PlatformAudit {
                route: row.get(0),
                status: row.get(1),
                user: row.get(2),
                subject: row.get(3),
                detail: row.get(4)
            })
        }
    }

    /// The rows of everybody, oldest first.
    pub(crate) async fn traces(&self) -> Vec<Trace> {
        let url = self.database_url.as_str();
        if url.starts_with("sqlite:") {
            read!(SqliteConnection, url, TRACES, |row| Trace { request: row.get(0), status: row.get(1), text: row.get(2) })
        } else {
            read!(PgConnection, url, TRACES, |row| Trace { request: row.get(0), status: row.get(1), text: row.get(2) })
        }
    }

    /// Runs a statement past the server, as its login user.
    pub(crate) async fn execute(&self, statement: &str) {
        let (url, statement) = (self.database_url.as_str(), AssertSqlSafe(statement.to_owned()));
        if url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(url).await.unwrap();
            sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// Deletes every blob of a run.
    pub(crate) fn lose_blobs(&self) {
        std::fs::remove_dir_all(self.folder.path().join("blobs/runs")).unwrap();
    }

    /// Waits until so many transactions wait for locks of others, on PostgreSQL. On SQLite they wait for their turn, where nobody sees
    /// them.
    pub(crate) async fn until_waiting(&self, expected: i64) {
        if self.database_url.starts_with("sqlite:") {
            return;
        }
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut connection = PgConnection::connect(&self.database_url).await.unwrap();
        let wait = async { while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut connection).await.unwrap() < expected {} };
        tokio::time::timeout(super::PATIENCE, wait).await.expect("they come to wait");
    }

    /// Seals what is in the log, as the server does about every second.
    pub(crate) async fn seal(&self) {
        let key = SigningKey::open_or_create(&self.store, &TestSealer).await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        audit::Sealer::new(self.store.clone(), key, audit::Options::default()).run(stop).await;
        assert!(!self.store.system().has_unsealed_audit(&[]).await.unwrap());
    }
}
