//! SeaORM's statements on a connection of sqlx, where SeaORM's own pools cannot go.

use std::sync::Arc;

use sea_orm::{DbErr, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Database, Executor, IntoArguments};

/// The first row.
pub(super) async fn one<DB, C>(connection: &mut C, statement: Statement) -> Result<Option<QueryResult>, DbErr>
where
    DB: Database,
    for<'c> &'c mut C: Executor<'c, Database = DB>,
    SqlxValues: IntoArguments<DB>,
    QueryResult: From<DB::Row>,
{
    let row = query(statement).fetch_optional(connection).await.map_err(refused)?;
    Ok(row.map(QueryResult::from))
}

/// Every row.
pub(super) async fn all<DB, C>(connection: &mut C, statement: Statement) -> Result<Vec<QueryResult>, DbErr>
where
    DB: Database,
    for<'c> &'c mut C: Executor<'c, Database = DB>,
    SqlxValues: IntoArguments<DB>,
    QueryResult: From<DB::Row>,
{
    let rows = query(statement).fetch_all(connection).await.map_err(refused)?;
    Ok(rows.into_iter().map(QueryResult::from).collect())
}

/// The statements are the repositories' own: whatever a client says stands in their values.
fn query<DB>(statement: Statement) -> Query<'static, DB, SqlxValues>
where
    DB: Database,
    SqlxValues: IntoArguments<DB>,
{
    let values = statement.values.unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values))
}

pub(super) fn refused(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}
