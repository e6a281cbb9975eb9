//! The one place where a run ends: by compare-and-set, with everything that follows from the end in the same transaction.

use domain::{NanoUsd, RunId, RunStatus};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, Condition};
use wire::control::MemoryWrite;
use wire::message::Usage;
use wire::run_event::{Failure, FailureCode, RunEvent};

use super::lease::RunLease;
use super::list::Runs;
use super::row::{Run, before, plain, stored};
use super::{events, ledger, memories, owner, states, totals};
use crate::entities::{At, run};
use crate::scope::AppScope;
use crate::unit::Writing;
use crate::{StoreError, Write};

/// How a run ends. Output, report and state are in its row already, from its events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunEnding {
    /// `None`: success.
    pub failure: Option<Failure>,
    /// Kept only after success, as is the state: a run that failed must not move a cursor past work that it did not finish.
    pub memories: Vec<MemoryWrite>,
}

impl RunEnding {
    pub fn failed(failure: Failure) -> Self {
        Self { failure: Some(failure), memories: Vec::new() }
    }

    pub fn status(&self) -> RunStatus {
        match self.failure.as_ref().map(|failure| failure.code) {
            None => RunStatus::Success,
            Some(FailureCode::TimedOut) => RunStatus::Timeout,
            Some(FailureCode::Cancelled) => RunStatus::Cancelled,
            Some(_) => RunStatus::Failed,
        }
    }
}

/// A run that has just ended.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedRun {
    pub run: Run,
    /// Memories that made room for new ones.
    pub forgotten: u64,
}

/// Who may end the run.
pub(super) enum Guard<'l> {
    /// Whoever holds this lease.
    Lease(&'l RunLease),
    /// Anyone, as long as it has not started.
    NotStarted,
}

impl Guard<'_> {
    fn condition(&self) -> Condition {
        match self {
            Self::Lease(lease) => lease.condition(),
            Self::NotStarted => Condition::all().add(run::Column::Status.eq(RunStatus::Pending.as_str())),
        }
    }
}

impl Runs<'_, Writing> {
    /// Ends a run: status, cost, state, memories, event and counters together. The unit's scope must be the run's own
    /// ([`super::ClaimedRun::scope`]), because state and memories are written for its owner.
    ///
    /// `None`: nothing was changed, because the run has ended already, is gone, or the lease is another's. Safe to repeat.
    pub async fn finish(&self, lease: &RunLease, ending: &RunEnding) -> Result<Option<FinishedRun>, StoreError> {
        end(self.unit, lease.run(), &Guard::Lease(lease), ending).await
    }
}

pub(super) async fn end(
    unit: &Write<AppScope>,
    id: RunId,
    guard: &Guard<'_>,
    ending: &RunEnding,
) -> Result<Option<FinishedRun>, StoreError> {
    let tenant = unit.tenant();
    owner::hold(&tenant).await?;
    let (now, status) = (tenant.now(), ending.status());
    let ended = tenant
        .update::<run::Entity>()
        .set(run::Column::Status, status.as_str())
        .set(run::Column::Error, ending.failure.as_ref().map(|failure| plain(&failure.message)))
        .set(run::Column::ErrorCode, ending.failure.as_ref().map(|failure| failure.code.as_str()))
        .set(run::Column::CompletedAt, At(now))
        .set(run::Column::LeaseWorker, None::<String>)
        .set(run::Column::LeaseUntil, None::<i64>)
        .set_expression(run::Column::NextSeq, Expr::col(run::Column::NextSeq).add(1))
        .filter(run::Column::Id.eq(id.to_string()))
        .filter(run::Column::Status.is_in(before(status)))
        .filter(guard.condition())
        .returning_one()
        .await?;
    let Some(row) = ended else { return Ok(None) };
    let seq = row.next_seq - 1;
    let mut run = Run::try_from(row)?;

    (run.usage, run.cost) = ledger::close(&tenant, id).await?;
    write_cost(unit, id, run.usage, run.cost).await?;
    let mut forgotten = 0;
    if let (RunStatus::Success, Some(agent)) = (status, &run.agent) {
        if let Some(state) = &run.state {
            states::keep(&tenant, agent, id, state).await?;
        }
        forgotten = memories::keep(&tenant, agent, id, &ending.memories).await?;
    }
    let duration_ms = run.duration_ms().and_then(|duration| u64::try_from(duration).ok()).unwrap_or(0);
    let failure = ending.failure.as_ref().map(|failure| Failure { message: plain(&failure.message), ..failure.clone() });
    events::emit(unit, &run, seq, &RunEvent::Ended { status, failure, duration_ms, cost: run.cost }).await?;
    totals::leave(&tenant).await?;
    Ok(Some(FinishedRun { run, forgotten }))
}

async fn write_cost(unit: &Write<AppScope>, id: RunId, usage: Usage, cost: NanoUsd) -> Result<(), StoreError> {
    if usage == Usage::default() && cost == NanoUsd::ZERO {
        return Ok(());
    }
    unit.tenant()
        .update::<run::Entity>()
        .set(run::Column::InputTokens, stored(usage.input))
        .set(run::Column::OutputTokens, stored(usage.output))
        .set(run::Column::CacheReadTokens, stored(usage.cache_read))
        .set(run::Column::CacheWriteTokens, stored(usage.cache_write))
        .set(run::Column::Cost, cost.0)
        .filter(run::Column::Id.eq(id.to_string()))
        .run()
        .await?;
    Ok(())
}
