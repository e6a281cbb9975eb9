//! Handing a queued run to one worker.

use std::time::Duration;

use domain::{Reach, RunId};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, DbBackend, EntityTrait as _, QueryFilter as _, Statement};
use wire::run_spec::RunSpec;

use super::lease::RunLease;
use crate::engine::{Lane, Opened};
use crate::entities::{At, json, parse, parse_some, run, run_spec};
use crate::scope::AppScope;
use crate::system::System;
use crate::{NewJob, StoreError, Write};

/// The kind of job that says: this run waits for a worker.
const KIND: &str = "run.start";

/// A run in the hands of one worker.
#[derive(Clone, Debug)]
pub struct ClaimedRun {
    /// The application, reaching as far as the run: its end-user's rows, or the application's.
    pub scope: AppScope,
    pub spec: RunSpec,
    pub lease: RunLease,
    /// The number of the next event.
    pub next_seq: i64,
}

impl System<'_> {
    /// Takes the run that has waited longest and leases it to `worker`. `None`: nothing waits.
    ///
    /// Two workers never get the same run. A run that was cancelled while it waited is passed over.
    pub async fn claim_run(&self, worker: &str, lease: Duration) -> Result<Option<ClaimedRun>, StoreError> {
        let Opened { transaction, permit } = self.store.inner.engine.write(None, Lane::Requests).await?;
        let now = self.store.clock().now();
        let claimed = loop {
            let Some(run) = self.next(&transaction, At(now)).await? else { break None };
            if let Some(row) = lease_run(&transaction, &run, worker, At(now + lease)).await? {
                break Some(claimed(&transaction, row, worker).await?);
            }
        };
        transaction.commit().await?;
        drop(permit);
        Ok(claimed)
    }

    async fn next(&self, transaction: &DatabaseTransaction, now: At) -> Result<Option<String>, StoreError> {
        let backend = self.store.inner.engine.backend();
        let lock = if backend == DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
        let sql = format!(
            "DELETE FROM jobs WHERE id = (SELECT id FROM jobs WHERE kind = $1 AND finished_at IS NULL AND worker IS NULL
                 AND due_at <= $2 ORDER BY due_at, id LIMIT 1 {lock}) RETURNING subject"
        );
        let statement = Statement::from_sql_and_values(backend, sql, [KIND.into(), now.0.timestamp_millis().into()]);
        Ok(transaction.query_one_raw(statement).await?.map(|row| row.try_get_by_index(0)).transpose()?)
    }
}

async fn lease_run(transaction: &DatabaseTransaction, run: &str, worker: &str, until: At) -> Result<Option<run::Model>, StoreError> {
    let rows = run::Entity::update_many()
        .col_expr(run::Column::LeaseWorker, Expr::val(worker))
        .col_expr(run::Column::LeaseUntil, Expr::val(until))
        .col_expr(run::Column::LeaseEpoch, Expr::col(run::Column::LeaseEpoch).add(1))
        .filter(run::Column::Id.eq(run))
        .filter(run::Column::Status.eq("pending"))
        .filter(run::Column::LeaseWorker.is_null())
        .exec_with_returning(transaction)
        .await?;
    Ok(rows.into_iter().next())
}

async fn claimed(transaction: &DatabaseTransaction, row: run::Model, worker: &str) -> Result<ClaimedRun, StoreError> {
    const WHAT: &str = "the spec of a run";
    let spec = run_spec::Entity::find_by_id(row.id.as_str()).one(transaction).await?.ok_or(StoreError::Corrupt { what: WHAT })?;
    Ok(ClaimedRun {
        scope: scope(&row)?,
        spec: json(&spec.spec, WHAT)?,
        lease: RunLease::new(parse::<RunId>(&row.id, WHAT)?, worker, row.lease_epoch),
        next_seq: row.next_seq,
    })
}

/// The scope that a run's row carries.
pub(super) fn scope(row: &run::Model) -> Result<AppScope, StoreError> {
    const WHAT: &str = "the owner of a run";
    let reach = parse_some(row.end_user_id.as_deref(), WHAT)?.map_or(Reach::Application, Reach::EndUser);
    Ok(AppScope::mint(parse(&row.org_id, WHAT)?, parse(&row.app_id, WHAT)?, reach))
}

/// Lets a run wait for a worker.
pub(super) async fn enqueue(unit: &Write<AppScope>, run: RunId) -> Result<(), StoreError> {
    let job = NewJob { kind: KIND.to_owned(), subject: run.to_string(), payload: serde_json::json!({}), due_at: None };
    unit.enqueue(job).await?;
    Ok(())
}
