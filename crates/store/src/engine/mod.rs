//! The two databases behind one face: open a transaction for reading or writing, in a scope or as the platform.

mod background;
mod postgres;
mod sqlite;
mod writer;

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};
use sea_orm_migration::MigratorTrait as _;

pub(crate) use self::background::{Background, Queued, QueuedIn};
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
    Sqlite { writer: DatabaseConnection, readers: DatabaseConnection, turn: Arc<Writer> },
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

    /// Opens a transaction that cannot write. `None`: as the platform.
    pub(crate) async fn read(&self, tenant: Option<Bounds>) -> Result<DatabaseTransaction, StoreError> {
        let transaction = self.reader().begin().await?;
        if let Self::Postgres { .. } = self {
            postgres::enter(&transaction, tenant, true).await?;
        }
        Ok(transaction)
    }

    /// Opens a transaction that may write.
    pub(crate) async fn write(&self, tenant: Option<Bounds>, lane: Lane) -> Result<Opened, StoreError> {
        match self {
            Self::Sqlite { writer, turn, .. } => {
                let permit = turn.acquire(lane).await;
                Ok(Opened { transaction: Self::begin_immediate(writer).await?, permit: Some(permit) })
            }
            Self::Postgres { pool } => {
                let transaction = pool.begin().await?;
                postgres::enter(&transaction, tenant, false).await?;
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
    pub(crate) async fn enter(&self, transaction: &DatabaseTransaction, bounds: Bounds) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { .. } => Ok(()),
            Self::Postgres { .. } => postgres::enter(transaction, Some(bounds), false).await,
        }
    }

    async fn begin_immediate(writer: &DatabaseConnection) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
        Ok(writer.begin_with_options(options).await?)
    }

    /// A connection for single reads of the platform, outside a transaction.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        match self {
            Self::Sqlite { readers, .. } => readers,
            Self::Postgres { pool } => pool,
        }
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
                readers.close_by_ref().await?;
                Ok(writer.close_by_ref().await?)
            }
            Self::Postgres { pool } => Ok(pool.close_by_ref().await?),
        }
    }
}
