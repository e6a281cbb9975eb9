//! Text as a model produces it: passed to whoever follows the run in this process, and over Redis to those who follow it on another
//! node; never stored.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::RunId;
use tokio::sync::{Notify, broadcast};

use crate::live::Outbox;

/// Pieces that a slow follower may lag behind; beyond them it misses the oldest, which the turn's event repeats whole.
const WAITING: usize = 256;

#[derive(Clone, Debug, Default)]
pub(crate) struct Deltas {
    runs: Arc<Mutex<HashMap<RunId, broadcast::Sender<Arc<str>>>>>,
    /// Told when the first follower of a run comes or the last one leaves.
    interest: Arc<Notify>,
    outbox: Option<Arc<Outbox>>,
}

impl Deltas {
    pub(crate) fn new(outbox: Option<Arc<Outbox>>) -> Self {
        Self { outbox, ..Self::default() }
    }

    /// Passes a piece of text on, to every node.
    pub(super) fn send(&self, run: RunId, text: &str) {
        self.send_here(run, text);
        if let Some(outbox) = &self.outbox {
            outbox.pass(run, text);
        }
    }

    /// Passes a piece of text on in this process. Costs nothing when nobody follows.
    pub(crate) fn send_here(&self, run: RunId, text: &str) {
        if let Some(sender) = self.runs().get(&run)
            && sender.send(text.into()).is_err()
        {
            tracing::trace!(run.id = %run, "nobody follows the run any more");
        }
    }

    /// The runs that somebody follows here.
    pub(crate) fn followed(&self) -> BTreeSet<RunId> {
        self.runs().keys().copied().collect()
    }

    /// Waits until [`Self::followed`] may have changed. For one task; cancel-safe.
    pub(crate) async fn interest_changed(&self) {
        self.interest.notified().await;
    }

    pub(super) fn listen(&self, run: RunId) -> DeltaListener {
        let receiver = self.runs().entry(run).or_insert_with(|| broadcast::channel(WAITING).0).subscribe();
        self.interest.notify_one();
        DeltaListener { deltas: self.clone(), run, receiver }
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, broadcast::Sender<Arc<str>>>> {
        self.runs.lock().expect("nothing panics while it holds the runs")
    }
}

/// One follower's ear.
#[derive(Debug)]
pub(super) struct DeltaListener {
    deltas: Deltas,
    run: RunId,
    receiver: broadcast::Receiver<Arc<str>>,
}

impl DeltaListener {
    /// The next piece. Cancel-safe.
    pub(super) async fn next(&mut self) -> Arc<str> {
        loop {
            match self.receiver.recv().await {
                Ok(text) => return text,
                Err(broadcast::error::RecvError::Lagged(missed)) => tracing::debug!(run.id = %self.run, missed, "a follower is slow"),
                // The sender stays in the map while this listener lives.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

impl Drop for DeltaListener {
    fn drop(&mut self) {
        let mut runs = self.deltas.runs();
        // This listener's own receiver still counts as one.
        if runs.get(&self.run).is_some_and(|sender| sender.receiver_count() <= 1) {
            runs.remove(&self.run);
            self.deltas.interest.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::RandomIds;

    use super::*;

    #[tokio::test]
    async fn a_follower_hears_its_run_and_leaves_nothing_behind() {
        let deltas = Deltas::default();
        let (run, other) = (RunId::new(&RandomIds), RunId::new(&RandomIds));
        let mut listener = deltas.listen(run);
        deltas.send(other, "not this");
        deltas.send(run, "this");
        assert_eq!(&*listener.next().await, "this");
        drop(listener);
        assert!(deltas.runs().is_empty());
    }

    #[tokio::test]
    async fn a_slow_follower_misses_the_oldest_and_goes_on() {
        let deltas = Deltas::default();
        let run = RunId::new(&RandomIds);
        let mut listener = deltas.listen(run);
        for count in 0..=WAITING {
            deltas.send(run, &count.to_string());
        }
        assert_eq!(&*listener.next().await, "1");
    }
}
