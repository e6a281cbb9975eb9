//! SQLite's readers: connections that may only read, each with a thread of its own.
//!
//! sqlx's pool asks a connection whether it still lives whenever one comes back, from a task made for that. It is as many switches
//! between threads as a statement takes, and a file does not hang up: here a connection just goes back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sea_orm::{ConnAcquireErr, DbErr, QueryResult, Statement};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{direct, sqlite};

/// How long a read waits for a connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections that may only read, as many as there are places. They are opened when first needed and stay open.
#[derive(Debug)]
pub(crate) struct Readers {
    options: SqliteConnectOptions,
    places: Arc<Semaphore>,
    count: u32,
    idle: Mutex<Vec<SqliteConnection>>,
}

/// A connection of [`Readers`], until dropped.
#[derive(Debug)]
pub(crate) struct Reader {
    /// `None`: it broke.
    connection: tokio::sync::Mutex<Option<SqliteConnection>>,
    readers: Arc<Readers>,
    // Given back after the connection, by the order of fields and `Drop`.
    _place: OwnedSemaphorePermit,
}

impl Readers {
    /// Opens the first of `count` connections, so that a file that cannot be read is found at once.
    pub(super) async fn open(options: SqliteConnectOptions, count: u32) -> Result<Arc<Self>, sqlx::Error> {
        let readers = Self { options, places: Arc::new(Semaphore::new(count as usize)), count, idle: Mutex::default() };
        let first = readers.connect().await?;
        readers.idle().push(first);
        Ok(Arc::new(readers))
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// When none comes free in time, or the store is closed.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Reader, DbErr> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?;
        let place = place.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect().await.map_err(direct::refused)?,
        };
        Ok(Reader { connection: tokio::sync::Mutex::new(Some(connection)), readers: Arc::clone(self), _place: place })
    }

    /// Lets reads that have begun end, refuses new ones, and closes the connections.
    pub(super) async fn close(&self) -> Result<(), sqlx::Error> {
        let all = self.places.acquire_many(self.count).await;
        self.places.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            connection.close().await?;
        }
        Ok(())
    }

    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        sqlite::enable_stable_plans(&mut connection).await?;
        Ok(connection)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().expect("nothing panics while it holds the list")
    }
}

impl Reader {
    pub(super) async fn one(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut connection = self.connection.lock().await;
        let result = direct::one(open(&mut connection)?, statement).await;
        keep_if_whole(&mut connection, result)
    }

    pub(super) async fn all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut connection = self.connection.lock().await;
        let result = direct::all(open(&mut connection)?, statement).await;
        keep_if_whole(&mut connection, result)
    }
}

fn open(connection: &mut Option<SqliteConnection>) -> Result<&mut SqliteConnection, DbErr> {
    connection.as_mut().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
}

/// A connection whose thread is gone serves nobody any more; the next reader opens another.
fn keep_if_whole<T>(connection: &mut Option<SqliteConnection>, result: Result<T, DbErr>) -> Result<T, DbErr> {
    if let Err(DbErr::Query(sea_orm::RuntimeErr::SqlxError(error))) = &result
        && matches!(**error, sqlx::Error::WorkerCrashed)
    {
        *connection = None;
    }
    result
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.get_mut().take() {
            self.readers.idle().push(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use futures::FutureExt as _;
    use sea_orm::DbBackend;

    use super::*;

    async fn two(folder: &tempfile::TempDir) -> Arc<Readers> {
        let file = format!("sqlite:{}?mode=rwc", folder.path().join("file.db").display());
        Readers::open(SqliteConnectOptions::from_str(&file).expect("an address"), 2).await.expect("opens")
    }

    fn statement(sql: &str) -> Statement {
        Statement::from_string(DbBackend::Sqlite, sql)
    }

    #[tokio::test]
    async fn a_read_waits_for_a_place_and_one_that_is_dropped_in_the_middle_gives_its_own_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = two(&folder).await;
        let (first, second) = (readers.take().await.expect("a place"), readers.take().await.expect("a place"));
        let mut waiting = Box::pin(readers.take());
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        let count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n";
        assert!(first.all(statement(count)).now_or_never().is_none(), "it was sent to its thread and is not answered");
        drop(first);
        let third = waiting.await.expect("the place that came free");
        let rows = third.all(statement("SELECT 7")).await.expect("the connection is whole");
        assert_eq!(rows.iter().map(|row| row.try_get_by_index::<i32>(0).expect("a number")).collect::<Vec<_>>(), [7]);
        drop((second, third));
        assert_eq!(readers.idle().len(), 2);
    }

    #[tokio::test]
    async fn after_the_close_nobody_reads() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = two(&folder).await;
        let reader = readers.take().await.expect("a place");
        let mut closing = Box::pin(readers.close());
        assert!(futures::poll!(closing.as_mut()).is_pending(), "a read that has begun ends first");
        assert!(reader.one(statement("SELECT 1")).await.expect("a row").is_some());
        drop(reader);
        closing.await.expect("closes");
        assert!(matches!(readers.take().await, Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))));
        assert!(readers.idle().is_empty());
    }
}
