//! From the sidecar's messages to committed rows: numbers go in, `Committed` comes back once they are in the database.

use std::time::Duration;

use store::{Appended, RunEntry, RunLease, Store, StoreError};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use wire::control::ToSidecar;

use crate::sidecar::link::LinkSender;

/// Rows that may wait for the database before the sidecar's socket pushes back.
const WAITING: usize = 256;

/// Rows that are committed together at most.
const BATCH: usize = 64;

/// Pauses between attempts while the database does not answer; together shorter than a lease.
const PAUSES: [Duration; 4] = [Duration::from_millis(50), Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4)];

/// One row to write, and the number under which the sidecar waits for it (`None`: the worker's own).
#[derive(Debug)]
pub(crate) struct Numbered {
    pub(crate) number: Option<u64>,
    pub(crate) entry: RunEntry,
}

/// How a recorder ended.
#[derive(Debug)]
pub(crate) enum Recorded {
    /// All that was handed in is committed.
    All,
    /// The run belongs to another, or has ended. Nothing more may be written.
    LeaseLost,
    /// The database refused, or stayed away.
    Broken(StoreError),
}

/// Writes one run's record, in order, as many rows at a time as have come. Runs in a task of its own.
#[derive(Debug)]
pub(crate) struct Recorder {
    rows: mpsc::Sender<Numbered>,
    task: AbortOnDropHandle<Recorded>,
}

/// What a recorder writes with.
pub(crate) struct RecorderParts {
    pub(crate) store: Store,
    pub(crate) lease: RunLease,
    /// The number of the next event.
    pub(crate) next_seq: i64,
    pub(crate) sidecar: LinkSender,
    /// Told when somebody has asked the run to stop, as every commit learns.
    pub(crate) cancel: agent::Cancel,
}

impl Recorder {
    pub(crate) fn start(parts: RecorderParts) -> Self {
        let (rows, incoming) = mpsc::channel(WAITING);
        Self { rows, task: AbortOnDropHandle::new(tokio::spawn(parts.run(incoming))) }
    }

    /// Waits for room for one row. `None`: the recorder has ended. Cancel-safe.
    pub(crate) async fn room(&self) -> Option<mpsc::Permit<'_, Numbered>> {
        self.rows.reserve().await.ok()
    }

    /// Hands in a row that nobody waits for. Returns without waiting for the database, unless very much is ahead.
    pub(crate) async fn note(&self, entry: RunEntry) {
        if let Some(room) = self.room().await {
            room.send(Numbered { number: None, entry });
        }
    }

    /// Returns once the recorder has given up; never while it works. Cancel-safe.
    pub(crate) async fn ended(&self) {
        self.rows.closed().await;
    }

    /// Hands in nothing more, and waits until what was handed in is written.
    pub(crate) async fn close(self) -> Recorded {
        drop(self.rows);
        self.task.await.unwrap_or(Recorded::Broken(StoreError::Closed))
    }
}

impl RecorderParts {
    async fn run(mut self, mut incoming: mpsc::Receiver<Numbered>) -> Recorded {
        let mut batch = Vec::with_capacity(BATCH);
        while incoming.recv_many(&mut batch, BATCH).await > 0 {
            let (numbers, entries): (Vec<_>, Vec<_>) = batch.drain(..).map(|row| (row.number, row.entry)).unzip();
            match self.commit(&entries).await {
                Ok(Appended::Committed { next_seq, is_cancel_requested }) => {
                    self.next_seq = next_seq;
                    if is_cancel_requested {
                        self.cancel.request(crate::endings::cancelled());
                    }
                }
                Ok(Appended::LeaseLost) => return Recorded::LeaseLost,
                Err(error) => return Recorded::Broken(error),
            }
            for number in numbers.into_iter().flatten() {
                if self.sidecar.send(ToSidecar::Committed { number }).is_err() {
                    // The sidecar has ended; the executor sees that on the other side. What it had sent is still written.
                    tracing::debug!(run.id = %self.lease.run(), "nobody waits for row {number} any more");
                }
            }
        }
        Recorded::All
    }

    async fn commit(&self, entries: &[RunEntry]) -> Result<Appended, StoreError> {
        let mut pauses = PAUSES.iter();
        loop {
            // A batch whose outcome is unknown may be repeated: its first number says whether it is in already.
            match (self.store.system().append_to_run(&self.lease, self.next_seq, entries).await, pauses.next()) {
                (Err(error @ StoreError::Unavailable { .. }), Some(pause)) => {
                    tracing::warn!(run.id = %self.lease.run(), %error, "could not write the record of a run, trying again");
                    tokio::time::sleep(*pause).await;
                }
                (result, _) => return result,
            }
        }
    }
}
