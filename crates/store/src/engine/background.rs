//! The second lane: rows that somebody may await, but that no request's transaction carries. One task takes the writer when it is
//! free, or behind at most eight requests, and commits all that is queued by then together.
//!
//! PostgreSQL has row locks besides, and one that somebody holds for long (a deletion of many rows) must not stop everybody else's. So
//! work waits for a lock only a moment there, and work that never waits ([`Queued::WAITS`]) has a task of its own.
//!
//! Code that holds a [`crate::Write`] must never await this lane: on SQLite it would wait for itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use domain::{KeyId, Timestamp};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, Statement};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use super::{Engine, Lane};
use crate::StoreError;
use crate::entities::audit_entry;
use crate::live::{Live, Topic};
use crate::records::audit;
use crate::unit::Wakes;

/// Work of the second lane. `apply` may run twice: a group whose commit fails is repeated one by one, so it decides by what it
/// reads in the transaction and keeps nothing.
///
/// A logical refusal (a lost lease) is a value of `Output`; an error rolls back the whole group first.
#[async_trait]
pub(crate) trait Queued: Send + Sync + 'static {
    type Output: Send + 'static;
    /// Whether it may meet a lock: it changes rows that somebody else may hold, or refers to some.
    const WAITS: bool = true;

    async fn apply(&self, within: &QueuedIn<'_>) -> Result<Self::Output, StoreError>;
}

/// The transaction of a group: the login user's, on every tenant's rows.
pub(crate) struct QueuedIn<'t> {
    pub(crate) transaction: &'t DatabaseTransaction,
    wakes: &'t Wakes,
    audit: Mutex<Vec<audit_entry::ActiveModel>>,
}

impl QueuedIn<'_> {
    /// Puts the row into the audit log, with those of the whole group, before the group is committed.
    pub(crate) fn record(&self, row: audit_entry::ActiveModel) {
        self.recorded().push(row);
    }

    fn recorded(&self) -> MutexGuard<'_, Vec<audit_entry::ActiveModel>> {
        self.audit.lock().expect("nothing panics while it holds the rows")
    }

    /// Wakes the topic's readers once the group is committed.
    pub(crate) fn wake(&self, topic: Topic) {
        self.wakes.add(topic);
    }
}

/// The queue of the second lane. Dropping every clone lets the task finish what is queued and end.
#[derive(Clone, Debug)]
pub(crate) struct Background {
    queue: mpsc::Sender<Message>,
    /// Of work that never waits. On SQLite the same queue: there is one writer.
    free: mpsc::Sender<Message>,
}

enum Message {
    Work(Box<dyn Work>),
    Used(KeyId, Timestamp),
    /// Answered once all that was queued before is committed, last-used times included.
    Flush(oneshot::Sender<()>),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message")
    }
}

/// Rows that may wait before those who queue them have to.
const QUEUE: usize = 1_024;

/// How long a group waits for a row lock, in PostgreSQL's words, and how long each of its works when they are repeated one by one: there
/// may be many, and each must not hold up the next for as long again.
const PATIENCE: &str = "500ms";
const PATIENCE_ALONE: &str = "100ms";

impl Background {
    /// Starts the task of the lane on the current runtime.
    pub(crate) fn start(engine: Engine, live: &Live, last_used_every: Duration) -> Self {
        let has_row_locks = engine.backend() == DbBackend::Postgres;
        let start = |engine: Engine, meets_locks: bool| {
            let (queue, messages) = mpsc::channel(QUEUE);
            tokio::spawn(Task { engine, live: live.clone(), used: BTreeMap::new(), meets_locks }.run(messages, last_used_every));
            queue
        };
        let queue = start(engine.clone(), has_row_locks);
        let free = if has_row_locks { start(engine, false) } else { queue.clone() };
        Self { queue, free }
    }

    /// Queues the work and waits until it is committed.
    pub(crate) async fn run<W: Queued>(&self, work: W) -> Result<W::Output, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let job = Job { work, output: None, done: Some(sender) };
        let queue = if W::WAITS { &self.queue } else { &self.free };
        queue.send(Message::Work(Box::new(job))).await.map_err(|_| StoreError::Closed)?;
        receiver.await.map_err(|_| StoreError::Closed)?
    }

    /// Notes that a key was used. Best effort: written with the next tick, dropped when the queue is full.
    pub(crate) fn used(&self, key: KeyId, at: Timestamp) {
        if self.queue.try_send(Message::Used(key, at)).is_err() {
            tracing::debug!(key.id = %key, "the last use of key {key} was not noted: the queue is full");
        }
    }

    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        for queue in [&self.queue, &self.free] {
            let (sender, receiver) = oneshot::channel();
            queue.send(Message::Flush(sender)).await.map_err(|_| StoreError::Closed)?;
            receiver.await.map_err(|_| StoreError::Closed)?;
        }
        Ok(())
    }
}

#[async_trait]
trait Work: Send {
    async fn apply(&mut self, within: &QueuedIn<'_>) -> Result<(), StoreError>;
    fn finish(self: Box<Self>, result: Result<(), StoreError>);
}

struct Job<W: Queued> {
    work: W,
    output: Option<W::Output>,
    done: Option<oneshot::Sender<Result<W::Output, StoreError>>>,
}

#[async_trait]
impl<W: Queued> Work for Job<W> {
    async fn apply(&mut self, within: &QueuedIn<'_>) -> Result<(), StoreError> {
        self.output = Some(self.work.apply(within).await?);
        Ok(())
    }

    fn finish(mut self: Box<Self>, result: Result<(), StoreError>) {
        let output = result.and_then(|()| self.output.take().ok_or(StoreError::Closed));
        if let Some(done) = self.done.take()
            && done.send(output).is_err()
        {
            tracing::trace!("nobody waits for this row any more; it is committed all the same");
        }
    }
}

fn finish(works: Vec<Box<dyn Work>>, result: &Result<(), StoreError>) {
    for work in works {
        work.finish(result.clone());
    }
}

struct Task {
    engine: Engine,
    live: Live,
    used: BTreeMap<KeyId, Timestamp>,
    /// Whether its work may wait for others' row locks. Work that never does is spared the statement that bounds the wait.
    meets_locks: bool,
}

impl Task {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>, last_used_every: Duration) {
        let mut tick = tokio::time::interval(last_used_every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let first = tokio::select! {
                message = messages.recv() => message,
                _ = tick.tick() => {
                    self.write_used().await;
                    continue;
                }
            };
            let Some(first) = first else {
                self.write_used().await;
                return;
            };
            self.turn(first, &mut messages).await;
        }
    }

    /// One turn at the writer: everything that is queued when it comes.
    async fn turn(&mut self, first: Message, messages: &mut mpsc::Receiver<Message>) {
        let mut works = Vec::new();
        let mut flushes = Vec::new();
        self.sort(first, &mut works, &mut flushes);
        if !works.is_empty() {
            let opened = self.open(PATIENCE).await;
            while let Ok(message) = messages.try_recv() {
                self.sort(message, &mut works, &mut flushes);
            }
            match opened {
                Ok(opened) => self.commit_group(opened, works).await,
                Err(error) => finish(works, &Err(error)),
            }
        }
        if !flushes.is_empty() {
            self.write_used().await;
            for flushed in flushes {
                if flushed.send(()).is_err() {
                    tracing::trace!("nobody waits for this flush any more");
                }
            }
        }
    }

    /// Opens a transaction that waits at most so long for a row lock.
    async fn open(&self, patience: &str) -> Result<super::Opened, StoreError> {
        let opened = self.engine.write(None, Lane::Background).await?;
        if self.meets_locks {
            opened.transaction.execute_unprepared(&format!("SET LOCAL lock_timeout = '{patience}'")).await?;
        }
        Ok(opened)
    }

    fn sort(&mut self, message: Message, works: &mut Vec<Box<dyn Work>>, flushes: &mut Vec<oneshot::Sender<()>>) {
        match message {
            Message::Work(work) => works.push(work),
            Message::Used(key, at) => {
                self.used.insert(key, at);
            }
            Message::Flush(done) => flushes.push(done),
        }
    }

    async fn commit_group(&self, opened: super::Opened, mut works: Vec<Box<dyn Work>>) {
        let together = self.commit(opened, &mut works).await;
        match together {
            Ok(()) => finish(works, &Ok(())),
            Err(error) if works.len() == 1 => finish(works, &Err(error)),
            Err(error) => {
                tracing::debug!(%error, count = works.len(), "a group of rows is committed one by one, because one of them was refused");
                for work in works {
                    let mut alone = vec![work];
                    let result = match self.open(PATIENCE_ALONE).await {
                        Ok(opened) => self.commit(opened, &mut alone).await,
                        Err(error) => Err(error),
                    };
                    finish(alone, &result);
                }
            }
        }
    }

    async fn commit(&self, opened: super::Opened, works: &mut [Box<dyn Work>]) -> Result<(), StoreError> {
        let super::Opened { transaction, permit } = opened;
        let wakes = Wakes::default();
        let within = QueuedIn { transaction: &transaction, wakes: &wakes, audit: Mutex::default() };
        for work in works {
            work.apply(&within).await?;
        }
        let recorded = std::mem::take(&mut *within.recorded());
        audit::insert_all(&transaction, recorded).await?;
        transaction.commit().await?;
        drop(permit);
        wakes.deliver(&self.live);
        Ok(())
    }

    async fn write_used(&mut self) {
        if self.used.is_empty() {
            return;
        }
        let used = std::mem::take(&mut self.used);
        if let Err(error) = self.update_used(&used).await {
            tracing::warn!(%error, count = used.len(), "the last use of some keys could not be noted");
        }
    }

    async fn update_used(&self, used: &BTreeMap<KeyId, Timestamp>) -> Result<(), StoreError> {
        const ON_SQLITE: &str = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
        // A key that somebody is changing or deleting just now is passed over: its next use is noted again.
        const ON_POSTGRES: &str = "UPDATE api_keys SET last_used_at = $2 WHERE id = (SELECT id FROM api_keys WHERE id = $1 AND \
                                   (last_used_at IS NULL OR last_used_at < $2) FOR NO KEY UPDATE SKIP LOCKED)";
        let is_postgres = self.engine.backend() == DbBackend::Postgres;
        let update = if is_postgres { ON_POSTGRES } else { ON_SQLITE };
        let super::Opened { transaction, permit } = self.open(PATIENCE).await?;
        for (key, at) in used {
            let values = [key.to_string().into(), at.timestamp_millis().into()];
            transaction.execute_raw(Statement::from_sql_and_values(self.engine.backend(), update, values)).await?;
        }
        transaction.commit().await?;
        drop(permit);
        Ok(())
    }
}
