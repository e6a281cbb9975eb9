//! The right to write a run's record: one worker at a time, by epoch, until a moment.

use std::time::Duration;

use async_trait::async_trait;
use domain::{RunId, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::StoreError;
use crate::engine::{Queued, QueuedIn};
use crate::entities::{At, parse, run};
use crate::system::System;

/// One worker's hold on one run. Whoever claims the run later has a higher epoch, and this hold writes nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLease {
    run: RunId,
    worker: String,
    epoch: i64,
    /// Set for whoever recovers the run: the lease must have run out by then, and not have been extended since.
    expired_at: Option<Timestamp>,
}

impl RunLease {
    pub(super) fn new(run: RunId, worker: &str, epoch: i64) -> Self {
        Self { run, worker: worker.to_owned(), epoch, expired_at: None }
    }

    pub(super) fn expired(self, at: Timestamp) -> Self {
        Self { expired_at: Some(at), ..self }
    }

    pub fn run(&self) -> RunId {
        self.run
    }

    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Holds for the run's row while this lease is the current one.
    pub(super) fn condition(&self) -> sea_orm::Condition {
        sea_orm::Condition::all()
            .add(run::Column::Id.eq(self.run.to_string()))
            .add(run::Column::LeaseEpoch.eq(self.epoch))
            .add(run::Column::LeaseWorker.eq(self.worker.as_str()))
            .add_option(self.expired_at.map(|at| run::Column::LeaseUntil.lt(At(at))))
    }
}

/// A lease that was extended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLease {
    pub run: RunId,
    /// Somebody has asked the run to stop.
    pub is_cancel_requested: bool,
}

impl System<'_> {
    /// Extends the leases by `by` from now. What is missing in the answer is lost: the run has ended, is gone, or belongs to
    /// another worker. A run whose row somebody else holds just now counts as held; the next time tells.
    ///
    /// # Errors
    /// When none of them could be extended.
    pub async fn extend_run_leases(&self, leases: Vec<RunLease>, by: Duration) -> Result<Vec<HeldLease>, StoreError> {
        let until = At(self.store.clock().now() + by);
        // Each is work of its own: one that waits for a lock keeps no other from being extended.
        let each = leases.iter().map(|lease| self.store.inner.background.run(Extend { lease: lease.clone(), until }));
        let results = futures::future::join_all(each).await;
        let can_write = results.iter().any(Result::is_ok);
        let mut held = Vec::with_capacity(leases.len());
        for (lease, result) in leases.iter().zip(results) {
            match result {
                Ok(extended) => held.extend(extended),
                Err(StoreError::Unavailable { .. }) if can_write => held.push(HeldLease { run: lease.run, is_cancel_requested: false }),
                Err(error) => return Err(error),
            }
        }
        Ok(held)
    }

    /// Runs of this worker that somebody has asked to stop. Cheap; for polling.
    pub async fn cancel_requests(&self, worker: &str) -> Result<Vec<RunId>, StoreError> {
        let rows = run::Entity::find()
            .filter(run::Column::LeaseWorker.eq(worker))
            .filter(run::Column::CancelRequestedAt.is_not_null())
            .all(self.store.inner.engine.reader())
            .await?;
        rows.iter().map(|row| parse(&row.id, "a run")).collect()
    }
}

struct Extend {
    lease: RunLease,
    until: At,
}

#[async_trait]
impl Queued for Extend {
    type Output = Option<HeldLease>;

    async fn apply(&self, within: &QueuedIn<'_>) -> Result<Self::Output, StoreError> {
        let rows = run::Entity::update_many()
            .col_expr(run::Column::LeaseUntil, Expr::val(self.until))
            .filter(self.lease.condition())
            .exec_with_returning(within.transaction)
            .await?;
        let held =
            |row: run::Model| Ok(HeldLease { run: parse(&row.id, "a run")?, is_cancel_requested: row.cancel_requested_at.is_some() });
        rows.into_iter().next().map(held).transpose()
    }
}
