//! The whole log as somebody finds it who trusts nothing in the database: read-only, unparsed, in one snapshot.

use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::{
    AccessMode, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, FromQueryResult, IsolationLevel, Statement,
    TransactionTrait as _, Value,
};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::canonical::{AuditSeal, ROW_COLUMNS, RawAuditRow, SEAL_COLUMNS};
use super::seals::AuditKey;
use crate::StoreError;
use crate::entities::audit_key;

/// The chain that a row belongs to by its tenant.
const BELONGS_TO: &str = "COALESCE(app_id, org_id, 'platform')";

/// An open snapshot of the log. Nothing that is done with it changes the database.
#[derive(Debug)]
pub struct AuditArchive {
    snapshot: DatabaseTransaction,
    _connection: DatabaseConnection,
}

/// Rows at the end of a chain that have no seal yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnsealedTail {
    pub count: i64,
    /// Milliseconds since 1970.
    pub oldest: Option<i64>,
}

/// A row whose place contradicts itself: half marked, or in the chain of another tenant.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct StrayRow {
    pub id: String,
    pub belongs_to: String,
    pub chain: Option<String>,
}

impl AuditArchive {
    /// Opens the database for reading, without bringing its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Options`] for a database that no server of this version has started on.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        const MIGRATION: &str = "SELECT 1 FROM seaql_migrations WHERE version = 'm0012_audit_seals'";
        let connection = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => {
                let options = SqliteConnectOptions::from_str(url).map_err(|error| StoreError::Options(error.to_string()))?;
                let options = options.read_only(true).create_if_missing(false).busy_timeout(Duration::from_secs(5));
                let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
                sea_orm::SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)
            }
            Some("postgres" | "postgresql") => sea_orm::Database::connect(sea_orm::ConnectOptions::new(url)).await?,
            _ => return Err(StoreError::Options("the database URL starts with sqlite: or postgres:".to_owned())),
        };
        let snapshot = match connection.get_database_backend() {
            DbBackend::Postgres => connection.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await?,
            _ => connection.begin().await?,
        };
        let found = snapshot.query_one_raw(Statement::from_string(snapshot.get_database_backend(), MIGRATION)).await;
        if !matches!(found, Ok(Some(_))) {
            return Err(StoreError::Options("this database has no seals yet: no server of this version has started on it".to_owned()));
        }
        Ok(Self { snapshot, _connection: connection })
    }

    fn statement(&self, sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.snapshot.get_database_backend(), sql, values)
    }

    /// Every key that the database says has signed.
    pub async fn keys(&self) -> Result<Vec<AuditKey>, StoreError> {
        use sea_orm::EntityTrait as _;
        Ok(audit_key::Entity::find().all(&self.snapshot).await?.into_iter().map(AuditKey::from).collect())
    }

    /// Every chain that a row or a seal speaks of.
    pub async fn chains(&self) -> Result<Vec<String>, StoreError> {
        let sql = format!(
            "SELECT {BELONGS_TO} FROM audit_entries UNION SELECT chain FROM audit_entries WHERE chain IS NOT NULL
             UNION SELECT chain FROM audit_seals ORDER BY 1"
        );
        let rows = self.snapshot.query_all_raw(self.statement(sql, [])).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// The next `limit` seals of the chain from this number on.
    pub async fn seals(&self, chain: &str, from: i64, limit: u32) -> Result<Vec<AuditSeal>, StoreError> {
        let sql = format!("SELECT {SEAL_COLUMNS} FROM audit_seals WHERE chain = $1 AND number >= $2 ORDER BY number LIMIT $3");
        let statement = self.statement(sql, [chain.into(), from.into(), i64::from(limit).into()]);
        Ok(AuditSeal::find_by_statement(statement).all(&self.snapshot).await?)
    }

    /// The next `limit` rows that have a place in the chain, behind this position and id.
    pub async fn rows(&self, chain: &str, after: (i64, &str), limit: u32) -> Result<Vec<RawAuditRow>, StoreError> {
        let sql = format!(
            "SELECT {ROW_COLUMNS} FROM audit_entries WHERE chain = $1 AND position IS NOT NULL AND (position, id) > ($2, $3)
              ORDER BY position, id LIMIT $4"
        );
        let statement = self.statement(sql, [chain.into(), after.0.into(), after.1.into(), i64::from(limit).into()]);
        Ok(RawAuditRow::find_by_statement(statement).all(&self.snapshot).await?)
    }

    /// The rows of the chain that have no seal.
    pub async fn tail(&self, chain: &str) -> Result<UnsealedTail, StoreError> {
        let sql = format!("SELECT count(*), min(created_at) FROM audit_entries WHERE seal IS NULL AND {BELONGS_TO} = $1");
        let row = self.snapshot.query_one_raw(self.statement(sql, [chain.into()])).await?;
        let row = row.ok_or(StoreError::Corrupt { what: "a count" })?;
        Ok(UnsealedTail { count: row.try_get_by_index(0)?, oldest: row.try_get_by_index(1)? })
    }

    /// When the log was last written or sealed, of whatever chain; milliseconds since 1970. `None`: it is empty.
    pub async fn newest(&self) -> Result<Option<i64>, StoreError> {
        const NEWEST: &str = "SELECT max(at) FROM (SELECT max(created_at) AS at FROM audit_entries
                                                   UNION ALL SELECT max(sealed_at) AS at FROM audit_seals) AS newest";
        let row = self.snapshot.query_one_raw(self.statement(NEWEST, [])).await?;
        Ok(row.ok_or(StoreError::Corrupt { what: "a maximum" })?.try_get_by_index(0)?)
    }

    /// Rows whose place contradicts itself and that belong to the chain or claim to; `None`: to any. At most `limit`.
    pub async fn strays(&self, chain: Option<&str>, limit: u32) -> Result<Vec<StrayRow>, StoreError> {
        let sql = format!(
            "SELECT id, {BELONGS_TO} AS belongs_to, chain FROM audit_entries
              WHERE NOT (chain IS NULL AND seal IS NULL AND position IS NULL)
                AND (chain IS NULL OR seal IS NULL OR position IS NULL OR chain <> {BELONGS_TO})
                AND ($2 IS NULL OR chain = $2 OR {BELONGS_TO} = $2)
              ORDER BY id LIMIT $1"
        );
        let values = [i64::from(limit).into(), chain.map(ToOwned::to_owned).into()];
        Ok(StrayRow::find_by_statement(self.statement(sql, values)).all(&self.snapshot).await?)
    }
}
