//! SQLite: one connection that writes, several that may only read.

use std::ffi::c_int;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxSqliteConnector};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::readers::Readers;
use crate::StoreError;

/// Distinct statements that a connection keeps prepared.
const STATEMENTS: usize = 500;

pub(super) struct Connections {
    pub(super) writer: DatabaseConnection,
    pub(super) readers: Arc<Readers>,
}

/// Opens the file, which is made if the URL says `mode=rwc`.
pub(super) async fn connect(url: &str, readers: u32) -> Result<Connections, StoreError> {
    let options = SqliteConnectOptions::from_str(url).map_err(|error| StoreError::Options(error.to_string()))?;
    if url.contains(":memory:") || url.contains("mode=memory") || options.get_filename() == Path::new("") {
        // Readers are connections of their own and would each see an empty database.
        return Err(StoreError::Options("an in-memory SQLite database has no readers; name a file".to_owned()));
    }
    if let Some(folder) = options.get_filename().parent() {
        std::fs::create_dir_all(folder)?;
    }
    let options = options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        // Ours never wait for each other; this is for another process on the same file, such as a backup.
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(STATEMENTS);

    let writer = pool_of_one().connect_with(options.clone()).await?;
    let readers = Readers::open(options.create_if_missing(false).pragma("query_only", "ON"), readers.max(1)).await?;
    Ok(Connections { writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer), readers })
}

fn pool_of_one() -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .idle_timeout(None)
        .max_lifetime(None)
        // A file does not hang up.
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(enable_stable_plans(connection)))
}

/// Turns on the query planner stability guarantee (QPSG).
///
/// Without it a statement with a bound `LIMIT` is prepared anew at each execution, about 100,000 instructions, because the planner
/// looks at the value (design/stack.md §2).
pub(super) async fn enable_stable_plans(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut handle = connection.lock_handle().await?;
    let (on, unused): (c_int, *mut c_int) = (1, std::ptr::null_mut());
    // SAFETY: the lock keeps the connection alive and to ourselves; SQLITE_DBCONFIG_ENABLE_QPSG takes an int and a nullable
    // pointer to int (sqlite.org/c3ref/c_dbconfig_defensive.html).
    #[expect(unsafe_code, reason = "sqlx has no safe way to set a db_config option")]
    let code = unsafe {
        libsqlite3_sys::sqlite3_db_config(handle.as_raw_handle().as_ptr(), libsqlite3_sys::SQLITE_DBCONFIG_ENABLE_QPSG, on, unused)
    };
    if code == libsqlite3_sys::SQLITE_OK { Ok(()) } else { Err(sqlx::Error::Protocol(format!("sqlite3_db_config answered {code}"))) }
}
