//! What the statements of one unit run on.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use sqlx::{Postgres, Transaction};
use tokio::sync::Mutex;

use super::direct;
use super::readers::Reader;

/// Writes have a transaction; reads what costs least on their engine.
#[derive(Debug)]
pub(crate) enum Session {
    Transaction(DatabaseTransaction),
    /// A connection that only reads. Each statement sees what is committed by then, as on PostgreSQL: a transaction around them would
    /// cost two more turns of the connection's thread than the statements themselves.
    Sqlite(Reader),
    /// A transaction that only reads.
    Postgres(Mutex<Transaction<'static, Postgres>>),
}

impl Session {
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.writing().commit().await
    }

    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        self.writing().rollback().await
    }

    fn writing(self) -> DatabaseTransaction {
        match self {
            Self::Transaction(transaction) => transaction,
            Self::Sqlite(_) | Self::Postgres(_) => unreachable!("only units that write are committed and rolled back"),
        }
    }
}

/// For a defect of ours: the types of units let only writes change rows.
pub(super) fn read_only(sql: &str) -> DbErr {
    DbErr::Custom(format!("a session that only reads was asked to do this: {sql}"))
}

#[async_trait]
impl ConnectionTrait for Session {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Transaction(transaction) => transaction.get_database_backend(),
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Transaction(transaction) => transaction.execute_raw(statement).await,
            Self::Sqlite(_) | Self::Postgres(_) => Err(read_only(&statement.sql)),
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Transaction(transaction) => transaction.execute_unprepared(sql).await,
            Self::Sqlite(_) | Self::Postgres(_) => Err(read_only(sql)),
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Transaction(transaction) => transaction.query_one_raw(statement).await,
            Self::Sqlite(reader) => reader.one(statement).await,
            Self::Postgres(transaction) => direct::one(&mut **transaction.lock().await, statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Transaction(transaction) => transaction.query_all_raw(statement).await,
            Self::Sqlite(reader) => reader.all(statement).await,
            Self::Postgres(transaction) => direct::all(&mut **transaction.lock().await, statement).await,
        }
    }
}
