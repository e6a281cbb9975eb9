//! The two databases behind one face: open a transaction for reading or writing, in a scope or as the platform.

mod background;
mod direct;
mod postgres;
mod readers;
mod session;
mod sqlite;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait as _,
};
use sea_orm_migration::MigratorTrait as _;

pub(crate) use self::background::{Background, Queued, QueuedIn};
use self::readers::Readers;
pub(crate) use self::session::Session;
use self::writer::Writer;
pub(crate) use self::writer::{Lane, Permit};
use crate::StoreError;
use crate::migrations::Migrator;
use crate::scope::Bounds;

/// Serializes the migrations of nodes that start together; any constant of ours.
const MIGRATION_LOCK: i64 = 0x6170_7073_7472_6174;

/// An open database.
#[derive(Clone, Debug)]
pub(crate) enum Engine {
    Sqlite { writer: DatabaseConnection, readers: Arc<Readers>, turn: Arc<Writer> },
    Postgres { pool: DatabaseConnection },
}

/// An open transaction, and on SQLite the writer's turn, which must outlive it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) transaction: DatabaseTransaction,
    pub(crate) permit: Option<Permit>,
}

impl Engine {
    /// Opens the database and brings its tables up to date.
    pub(crate) async fn connect(url: &str, connections: u32) -> Result<Self, StoreError> {
        let engine = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => {
                let sqlite::Connections { writer, readers } = sqlite::connect(url, connections).await?;
                Self::Sqlite { writer, readers, turn: Arc::default() }
            }
            Some("postgres" | "postgresql") => Self::Postgres { pool: postgres::connect(url, connections).await? },
            _ => return Err(StoreError::Options("the database URL starts with sqlite: or postgres:".to_owned())),
        };
        if let Self::Postgres { pool } = &engine {
            postgres::ensure_role(pool).await?;
        }
        engine.migrate().await?;
        Ok(engine)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let opened = self.write(None, Lane::Requests).await?;
        if self.backend() == DbBackend::Postgres {
            opened.transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
        }
        Migrator::up(&opened.transaction, None).await?;
        opened.transaction.commit().await?;
        Ok(())
    }

    /// Opens a session that cannot write. `None`: as the platform.
    pub(crate) async fn read(&self, tenant: Option<Bounds>) -> Result<Session, StoreError> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Session::Sqlite(readers.take().await?),
            Self::Postgres { pool } => Session::Postgres(postgres::read(pool.get_postgres_connection_pool(), tenant).await?.into()),
        })
    }

    /// Opens a transaction that may write.
    pub(crate) async fn write(&self, tenant: Option<Bounds>, lane: Lane) -> Result<Opened, StoreError> {
        match self {
            Self::Sqlite { writer, turn, .. } => {
                let permit = turn.acquire(lane).await;
                Ok(Opened { transaction: Self::begin_immediate(writer).await?, permit: Some(permit) })
            }
            Self::Postgres { pool } => {
                let pool = pool.clone();
                let transaction = postgres::Begun::new(async move { pool.begin().await }).await?;
                if let Some(bounds) = tenant {
                    postgres::enter(&transaction, bounds).await?;
                }
                Ok(Opened { transaction, permit: None })
            }
        }
    }

    /// Opens the next transaction of one that was rolled back, keeping its turn.
    pub(crate) async fn write_again(&self, tenant: Option<Bounds>, permit: Option<Permit>) -> Result<Opened, StoreError> {
        match (self, permit) {
            (Self::Sqlite { writer, .. }, Some(permit)) => {
                Ok(Opened { transaction: Self::begin_immediate(writer).await?, permit: Some(permit) })
            }
            (_, _) => self.write(tenant, Lane::Requests).await,
        }
    }

    /// Turns an open write to other bounds.
    pub(crate) async fn enter(&self, transaction: &impl ConnectionTrait, bounds: Bounds) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { .. } => Ok(()),
            Self::Postgres { .. } => postgres::enter(transaction, bounds).await,
        }
    }

    async fn begin_immediate(writer: &DatabaseConnection) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
        Ok(writer.begin_with_options(options).await?)
    }

    /// For single reads of the platform, outside a transaction.
    pub(crate) fn reader(&self) -> &Self {
        self
    }

    pub(crate) fn backend(&self) -> DbBackend {
        match self {
            Self::Sqlite { .. } => DbBackend::Sqlite,
            Self::Postgres { .. } => DbBackend::Postgres,
        }
    }

    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { writer, readers, .. } => {
                // The writer last: the last connection of a SQLite file folds the log back into it.
                readers.close().await?;
                Ok(writer.close_by_ref().await?)
            }
            Self::Postgres { pool } => Ok(pool.close_by_ref().await?),
        }
    }
}

/// Single statements of the platform, each on whatever connection is free. They only read.
#[async_trait]
impl ConnectionTrait for Engine {
    fn get_database_backend(&self) -> DbBackend {
        self.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        Err(session::read_only(&statement.sql))
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        Err(session::read_only(sql))
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Sqlite { readers, .. } => readers.take().await?.one(statement).await,
            Self::Postgres { pool } => pool.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Sqlite { readers, .. } => readers.take().await?.all(statement).await,
            Self::Postgres { pool } => pool.query_all_raw(statement).await,
        }
    }
}
