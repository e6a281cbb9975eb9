//! What happens while a run goes on: events and ledger rows, in batches, under the lease, with the projection in `runs`.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{IdSource, NanoUsd, RunStatus, Timestamp};
use sea_orm::sea_query::{BinOper, Expr, ExprTrait as _, Func};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, UpdateMany};
use wire::control::LedgerState;
use wire::message::Usage;
use wire::run_event::RunEvent;

use super::events::{Encoded, EventOwner};
use super::lease::RunLease;
use super::row::{plain, stored};
use super::{ledger, leftovers};
use crate::StoreError;
use crate::engine::{Queued, QueuedIn};
use crate::entities::{At, event, run, to_json};
use crate::system::System;

/// One row of a run's record.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEntry {
    /// Neither `run.created` nor `run.ended`, which are written with the row they change.
    Event(RunEvent),
    /// Money set aside before a model call. `entry` numbers the calls of the run.
    LedgerOpen { entry: u64, reserved: NanoUsd },
    /// What the call came to.
    LedgerSettle { entry: u64, usage: Usage, cost: NanoUsd, state: LedgerState },
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// All of it is committed; the next event has this number.
    Committed { next_seq: i64, is_cancel_requested: bool },
    /// None of it is: the run has ended, is gone, or belongs to another worker. Stop.
    LeaseLost,
}

impl System<'_> {
    /// Commits a batch of a run's record, through the second lane.
    ///
    /// `first_seq` is the number of the batch's first event. Repeating a batch whose outcome was unknown is safe.
    /// A `run.started` must be the first event; before it the run is pending and nothing else may happen.
    pub async fn append_to_run(&self, lease: &RunLease, first_seq: i64, entries: &[RunEntry]) -> Result<Appended, StoreError> {
        let inner = &self.store.inner;
        let mut events = Vec::with_capacity(entries.len());
        let mut change = Change::default();
        for entry in entries {
            change.take(entry);
            if let RunEntry::Event(event) = entry {
                events.push(Encoded::new(event, lease.run(), &inner.blobs).await?);
            }
        }
        let ledger = entries.iter().filter(|entry| !matches!(entry, RunEntry::Event(_))).cloned().collect();
        let (now, ids) = (inner.clock.now(), Arc::clone(&inner.ids));
        let has_blobs = events.iter().any(Encoded::is_large);
        let appended = inner.background.run(Append { lease: lease.clone(), first_seq, events, ledger, change, now, ids }).await?;
        if has_blobs && appended == Appended::LeaseLost {
            leftovers::note_if_gone(inner, lease.run()).await?;
        }
        Ok(appended)
    }
}

/// What a batch changes in the run's row.
#[derive(Clone, Debug, Default)]
struct Change {
    rung: Option<String>,
    output: Option<String>,
    reports: Vec<String>,
    state: Option<String>,
    usage: Usage,
    cost: NanoUsd,
}

impl Change {
    fn take(&mut self, entry: &RunEntry) {
        match entry {
            RunEntry::Event(RunEvent::Started { rung, .. }) => self.rung = Some(plain(rung)),
            RunEntry::Event(RunEvent::Output { output }) => self.output = Some(to_json(output)),
            RunEntry::Event(RunEvent::Report { content }) => self.reports.push(plain(content)),
            RunEntry::Event(RunEvent::StateSet { state }) => self.state = Some(to_json(state)),
            RunEntry::LedgerSettle { usage, cost, .. } => {
                self.usage += *usage;
                self.cost += *cost;
            }
            RunEntry::Event(_) | RunEntry::LedgerOpen { .. } => {}
        }
    }

    /// The update of the row, for the states in which the batch may come.
    fn update(&self, now: Timestamp) -> UpdateMany<run::Entity> {
        let mut update = run::Entity::update_many();
        match &self.rung {
            Some(rung) => {
                update = update
                    .col_expr(run::Column::Status, Expr::val(RunStatus::Running.as_str()))
                    .col_expr(run::Column::StartedAt, Expr::val(At(now)))
                    .col_expr(run::Column::Rung, Expr::val(rung.as_str()))
                    .filter(run::Column::Status.is_in(super::row::before(RunStatus::Running)));
            }
            None => update = update.filter(run::Column::Status.eq(RunStatus::Running.as_str())),
        }
        for (column, value) in [(run::Column::Output, &self.output), (run::Column::State, &self.state)] {
            if let Some(value) = value {
                update = update.col_expr(column, Expr::val(value.as_str()));
            }
        }
        if !self.reports.is_empty() {
            let report = self.reports.join("\n\n");
            // With no report yet the concatenation is NULL, and the second value stands.
            let longer = Expr::col(run::Column::Report).binary(BinOper::Custom("||"), Expr::val(format!("\n\n{report}")));
            let joined = Func::coalesce([longer, Expr::val(report)]).into();
            update = update.col_expr(run::Column::Report, joined);
        }
        let sums = [
            (run::Column::InputTokens, stored(self.usage.input)),
            (run::Column::OutputTokens, stored(self.usage.output)),
            (run::Column::CacheReadTokens, stored(self.usage.cache_read)),
            (run::Column::CacheWriteTokens, stored(self.usage.cache_write)),
            (run::Column::Cost, self.cost.0),
        ];
        sums.into_iter()
            .filter(|(_, more)| *more != 0)
            .fold(update, |update, (column, more)| update.col_expr(column, Expr::col(column).add(more)))
    }
}

struct Append {
    lease: RunLease,
    first_seq: i64,
    events: Vec<Encoded>,
    ledger: Vec<RunEntry>,
    change: Change,
    now: Timestamp,
    ids: Arc<dyn IdSource>,
}

#[async_trait]
impl Queued for Append {
    type Output = Appended;

    async fn apply(&self, within: &QueuedIn<'_>) -> Result<Appended, StoreError> {
        let next_seq = self.first_seq + i64::try_from(self.events.len()).expect("a batch is small");
        let rows = self
            .change
            .update(self.now)
            .col_expr(run::Column::NextSeq, Expr::val(next_seq))
            .filter(self.lease.condition())
            .filter(run::Column::NextSeq.eq(self.first_seq))
            .exec_with_returning(within.transaction)
            .await?;
        let Some(row) = rows.into_iter().next() else {
            return self.repeated(within, next_seq).await;
        };
        let owner = EventOwner::of(&row);
        if !self.events.is_empty() {
            let rows = self.events.iter().zip(self.first_seq..).map(|(event, seq)| event.row(&owner, seq, &*self.ids, self.now));
            event::Entity::insert_many(rows).exec_without_returning(within.transaction).await?;
        }
        for entry in &self.ledger {
            ledger::write(within.transaction, &owner, entry, At(self.now)).await?;
        }
        owner.topics()?.for_each(|topic| within.wake(topic));
        Ok(Appended::Committed { next_seq, is_cancel_requested: row.cancel_requested_at.is_some() })
    }
}

impl Append {
    /// The row does not stand where the batch begins: either the batch was committed before, or the lease is lost.
    async fn repeated(&self, within: &QueuedIn<'_>, next_seq: i64) -> Result<Appended, StoreError> {
        let row = run::Entity::find().filter(self.lease.condition()).one(within.transaction).await?;
        Ok(match row {
            Some(row) if !self.events.is_empty() && row.next_seq == next_seq => {
                Appended::Committed { next_seq, is_cancel_requested: row.cancel_requested_at.is_some() }
            }
            _ => Appended::LeaseLost,
        })
    }
}
