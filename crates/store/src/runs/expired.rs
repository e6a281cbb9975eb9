//! Runs whose worker has stopped extending its lease: it crashed, or lost the database.

use domain::RunStatus;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, Order, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::claim::{self, scope};
use super::lease::RunLease;
use super::list::Runs;
use crate::StoreError;
use crate::entities::{At, parse, run};
use crate::scope::AppScope;
use crate::system::System;
use crate::unit::Writing;

/// A run that nobody carries out any more.
#[derive(Clone, Debug)]
pub struct ExpiredRun {
    pub scope: AppScope,
    /// The lease that has run out; whoever recovers the run ends it under this lease, so that it can happen once only.
    pub lease: RunLease,
    /// Whether work had begun. One that had not may simply wait for another worker.
    pub is_started: bool,
}

impl System<'_> {
    /// Runs whose lease has run out, longest ago first, at most `most`.
    pub async fn expired_runs(&self, most: u32) -> Result<Vec<ExpiredRun>, StoreError> {
        let now = self.store.clock().now();
        let rows = run::Entity::find()
            .filter(run::Column::LeaseUntil.lt(At(now)))
            .order_by(run::Column::LeaseUntil, Order::Asc)
            .limit(u64::from(most))
            .all(self.store.inner.engine.reader())
            .await?;
        rows.into_iter()
            .map(|row| {
                let worker = row.lease_worker.as_deref().unwrap_or_default();
                let lease = RunLease::new(parse(&row.id, "a run")?, worker, row.lease_epoch).expired(now);
                Ok(ExpiredRun { scope: scope(&row)?, lease, is_started: row.started_at.is_some() })
            })
            .collect()
    }
}

impl Runs<'_, Writing> {
    /// Lets a run that has not started wait for another worker. `false`: its lease is not expired any more, or it has started.
    pub async fn requeue(&self, lease: &RunLease) -> Result<bool, StoreError> {
        let released = self
            .tenant
            .update::<run::Entity>()
            .set(run::Column::LeaseWorker, None::<String>)
            .set_expression(run::Column::LeaseUntil, Expr::val(None::<i64>))
            .filter(lease.condition())
            .filter(run::Column::Status.eq(RunStatus::Pending.as_str()))
            .run()
            .await?;
        if released == 0 {
            return Ok(false);
        }
        claim::enqueue(self.unit, lease.run()).await?;
        Ok(true)
    }
}
