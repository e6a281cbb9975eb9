//! Events of the two proxies: written after the fact, in order, and never lost while the worker listens.

use std::sync::Arc;

use agent::Journal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wire::run_event::RunEvent;

use crate::limits;

/// Takes events from connections. A [`Slot`] is taken before a call begins, so that calls wait when commits are slow.
#[derive(Clone, Debug)]
pub struct Recorder {
    slots: Arc<Semaphore>,
    queue: mpsc::UnboundedSender<Entry>,
}

type Entry = (RunEvent, OwnedSemaphorePermit);

/// The right to write one event.
#[derive(Debug)]
pub struct Slot {
    queue: mpsc::UnboundedSender<Entry>,
    permit: OwnedSemaphorePermit,
}

/// The task behind a recorder.
#[derive(Debug)]
pub struct Recording(JoinHandle<()>);

impl Recorder {
    /// Starts the task that commits.
    pub fn start(journal: Arc<dyn Journal>) -> (Self, Recording) {
        let (queue, mut entries) = mpsc::unbounded_channel::<Entry>();
        let task = tokio::spawn(async move {
            while let Some((event, permit)) = entries.recv().await {
                if let Err(lost) = journal.commit(event).await {
                    tracing::warn!(error = %lost, "could not record an event of the proxy");
                }
                drop(permit);
            }
        });
        // The queue is bounded by the slots: every entry holds one until it is committed.
        (Self { slots: Arc::new(Semaphore::new(limits::CALLS_IN_FLIGHT)), queue }, Recording(task))
    }

    /// Waits for a free slot.
    pub async fn slot(&self) -> Slot {
        let permit = Arc::clone(&self.slots).acquire_owned().await.expect("the semaphore is never closed");
        Slot { queue: self.queue.clone(), permit }
    }

    /// Waits until every slot is back, that is: all calls have ended and their events are committed.
    pub async fn drain(&self) {
        let all = u32::try_from(limits::CALLS_IN_FLIGHT).expect("a small constant");
        if timeout(limits::DRAIN, self.slots.acquire_many(all)).await.is_err() {
            tracing::warn!("some proxy calls were still going when the run ended");
        }
    }
}

impl Slot {
    /// Hands the event over.
    pub fn record(self, event: RunEvent) {
        if self.queue.send((event, self.permit)).is_err() {
            tracing::warn!("the recorder has ended before its connections");
        }
    }
}

impl Recording {
    /// Stops the task.
    pub fn stop(self) {
        self.0.abort();
    }
}
