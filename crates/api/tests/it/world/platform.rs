//! The audit rows of the platform itself, which no tenant sees: read from the table.

use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};

use super::World;

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

macro_rules! read {
    ($connection:ty, $url:expr) => {{
        let mut connection = <$connection>::connect($url).await.unwrap();
        let rows = sqlx::query(ROWS).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows.into_iter()
            .map(|row| PlatformAudit { route: row.get(0), status: row.get(1), user: row.get(2), subject: row.get(3), detail: row.get(4) })
            .collect()
    }};
}

impl World {
    /// The rows of no tenant, oldest first.
    pub(crate) async fn platform_audit(&self) -> Vec<PlatformAudit> {
        let url = self.database_url.as_str();
        if url.starts_with("sqlite:") { read!(SqliteConnection, url) } else { read!(PgConnection, url) }
    }
}
