//! Following one run: its events by number, from wherever the reader stands, then live; and the model's text as it comes.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::RunId;
use wire::run_event::RunEvent;

use super::deltas::DeltaListener;
use super::events::RunRecord;
use crate::entities::event;
use crate::scope::AppScope;
use crate::{Store, StoreError, Subscription, Topic};

/// Events that are read at once. A follower whose client is slow holds as many, each up to 32 KiB.
const BATCH: u32 = 32;

/// One step of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Followed {
    Event(RunRecord),
    /// A piece of the model's text. Not stored; `turn.completed` repeats it whole.
    Delta(Arc<str>),
}

/// A reader of one run. It leaves out an event whose row cannot be read, and says so in the log.
#[derive(Debug)]
pub struct FollowRun {
    store: Store,
    scope: AppScope,
    run: RunId,
    /// How far was read.
    seq: i64,
    events: Subscription,
    /// `None`: the text is not wanted, and takes no room.
    deltas: Option<DeltaListener>,
    read: VecDeque<RunRecord>,
    is_current: bool,
    /// The run had ended when this reader came: what is committed is all there will be.
    has_ended: bool,
    /// Nothing comes after what was read.
    is_over: bool,
}

impl Store {
    /// Follows a run from the event after number `after` (0: from the start). `None`: the scope reaches no such run.
    pub async fn follow_run(&self, scope: &AppScope, run: RunId, after: i64) -> Result<Option<FollowRun>, StoreError> {
        let events = self.live().subscribe(Topic::Run(run));
        let Some(found) = self.read(scope).await?.runs().get(run).await? else {
            return Ok(None);
        };
        Ok(Some(FollowRun {
            store: self.clone(),
            scope: *scope,
            run,
            seq: after,
            events,
            deltas: None,
            read: VecDeque::new(),
            is_current: false,
            has_ended: found.status.is_ended(),
            is_over: false,
        }))
    }

    /// Passes a piece of the model's text to the run's followers.
    pub fn pass_delta(&self, run: RunId, text: &str) {
        self.inner.deltas.send(run, text);
    }
}

impl FollowRun {
    /// Brings also the model's text as it comes, from here on.
    #[must_use]
    pub fn with_deltas(self) -> Self {
        Self { deltas: Some(self.store.inner.deltas.listen(self.run)), ..self }
    }

    /// The next step; `None` after the run's last event. Waits without a transaction. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<Followed>, StoreError> {
        loop {
            if let Some(record) = self.read.pop_front() {
                return Ok(Some(Followed::Event(record)));
            }
            if self.is_over {
                return Ok(None);
            }
            if self.is_current {
                tokio::select! {
                    biased;
                    () = self.events.changed() => {}
                    text = next_of(&mut self.deltas) => return Ok(Some(Followed::Delta(text))),
                }
            }
            // Whoever is interrupted here, or told of an error, reads again.
            self.is_current = false;
            // On the heap, so that a follower that waits does not keep the room of a query.
            let rows = Box::pin(self.store.patiently(read(&self.store, &self.scope, self.run, self.seq))).await?;
            self.take(rows);
        }
    }

    fn take(&mut self, rows: Vec<event::Model>) {
        self.is_current = rows.is_empty();
        // By its name, so that an end that cannot be read is the end all the same.
        self.is_over = rows.last().map_or(self.has_ended, |row| row.kind == RunEvent::ENDED);
        for row in rows {
            self.seq = row.seq.unwrap_or(self.seq);
            match RunRecord::try_from(row) {
                Ok(record) => self.read.push_back(record),
                // Damaged, or of a kind that only a newer node knows. It must not keep anyone from all the others.
                Err(error) => {
                    tracing::error!(run.id = %self.run, event.seq = self.seq, %error, "an event was left out of a stream: it cannot be read");
                }
            }
        }
    }

    /// Looks at the tables with the next step, woken or not. `false`: the scope reaches no such run any more.
    pub async fn look_again(&mut self) -> Result<bool, StoreError> {
        self.is_current = false;
        let found = async { self.store.read(&self.scope).await?.runs().outlines(&[self.run]).await };
        Ok(!Box::pin(self.store.patiently(found)).await?.is_empty())
    }
}

async fn read(store: &Store, scope: &AppScope, run: RunId, seq: i64) -> Result<Vec<event::Model>, StoreError> {
    store.read(scope).await?.run_events().rows(run, seq, BATCH).await
}

async fn next_of(deltas: &mut Option<DeltaListener>) -> Arc<str> {
    match deltas {
        Some(deltas) => deltas.next().await,
        None => std::future::pending().await,
    }
}
