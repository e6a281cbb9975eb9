//! How nodes on one database reach each other: what is still to be sent, and the tasks that send and hear.
//!
//! Nothing here is awaited by a commit: wakes are collected and sent by a task, together with all that came meanwhile. When the
//! connection is away they are kept as a set, so that they need no room, and the other nodes' slow look ([`super::watch`]) does
//! the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use domain::{IdSource, RunId, Secret};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{Live, Topic};
use crate::StoreError;
use crate::engine::Engine;
use crate::runs::Deltas;

/// How nodes on one database wake each other.
#[derive(Clone, Debug, Default)]
pub enum Nodes {
    /// They do not: there is one node, or the others learn by their slow look only.
    #[default]
    Alone,
    /// By NOTIFY of their PostgreSQL. Wakes only: the text that a model produces is streamed on the node that carries out the run.
    Database,
    /// By Redis pub/sub at this URL: wakes, and the text that models produce.
    Redis(Secret),
}

/// Topics that are kept while they cannot be sent; beyond them the other nodes find out by looking.
const MOST_TOPICS: usize = 10_000;

/// Bytes of model text that wait to be sent; beyond them text is left out, which the turn's event repeats whole.
const MOST_TEXT: usize = 1024 * 1024;

/// Between attempts to reach a connection that is away.
pub(super) const PAUSES: [Duration; 5] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];

/// What other nodes are to be told.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Unlike every other node's, so that a node knows its own words again.
    node: String,
    carries_text: bool,
    pending: Mutex<Pending>,
    filled: Notify,
    outages: AtomicU64,
}

/// What is sent together.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) topics: BTreeSet<Topic>,
    /// What models have said, joined for each run.
    pub(super) texts: BTreeMap<RunId, String>,
    text_bytes: usize,
}

impl Outbox {
    /// `None`: there is nobody to tell.
    pub(crate) fn of(nodes: &Nodes, ids: &dyn IdSource) -> Option<Arc<Self>> {
        let carries_text = match nodes {
            Nodes::Alone => return None,
            Nodes::Database => false,
            Nodes::Redis(_) => true,
        };
        let node = ids.uuid().simple().to_string();
        Some(Arc::new(Self { node, carries_text, pending: Mutex::default(), filled: Notify::new(), outages: AtomicU64::new(0) }))
    }

    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// Notes that the other nodes cannot be reached or heard, once for each time that it begins.
    pub(super) fn lost(&self) {
        self.outages.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn outages(&self) -> u64 {
        self.outages.load(Ordering::Relaxed)
    }

    pub(super) fn tell(&self, topic: Topic) {
        let mut pending = self.pending();
        if pending.topics.len() < MOST_TOPICS {
            pending.topics.insert(topic);
            self.filled.notify_one();
        }
    }

    /// Passes text on to whoever follows the run elsewhere. Best effort.
    pub(crate) fn pass(&self, run: RunId, text: &str) {
        let mut pending = self.pending();
        if self.carries_text && pending.text_bytes + text.len() <= MOST_TEXT {
            pending.text_bytes += text.len();
            pending.texts.entry(run).or_default().push_str(text);
            self.filled.notify_one();
        }
    }

    /// Waits until there is something to send, and takes all of it. Cancel-safe.
    pub(super) async fn take(&self) -> Pending {
        loop {
            let pending = std::mem::take(&mut *self.pending());
            if !pending.topics.is_empty() || !pending.texts.is_empty() {
                return pending;
            }
            self.filled.notified().await;
        }
    }

    /// Keeps topics that could not be sent.
    pub(super) fn put_back(&self, topics: BTreeSet<Topic>) {
        let mut pending = self.pending();
        let room = MOST_TOPICS.saturating_sub(pending.topics.len());
        pending.topics.extend(topics.into_iter().take(room));
        self.filled.notify_one();
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().expect("nothing panics while it holds what is pending")
    }
}

/// What the tasks work with.
#[derive(Clone)]
pub(crate) struct Ears {
    pub(crate) live: Live,
    pub(crate) deltas: Deltas,
    pub(crate) outbox: Arc<Outbox>,
}

impl Ears {
    /// One message of another node: the node's name, then topics.
    pub(super) fn hear(&self, message: &str) {
        let mut words = message.split(' ');
        if words.next() == Some(self.outbox.node()) {
            return;
        }
        // A word that is no topic comes from a newer node; the slow look covers it.
        words.filter_map(|word| word.parse().ok()).for_each(|topic| self.live.wake_here(topic));
    }
}

/// The message that tells these topics.
pub(super) fn message<'t>(node: &str, topics: impl IntoIterator<Item = &'t Topic>) -> String {
    topics.into_iter().fold(node.to_owned(), |message, topic| format!("{message} {topic}"))
}

/// Starts the tasks that send and hear.
///
/// # Errors
/// [`StoreError::Options`] when the URL of Redis does not parse. One that does not answer is tried again, for ever.
pub(crate) fn start(nodes: &Nodes, engine: &Engine, url: &str, ears: &Ears, tasks: &mut JoinSet<()>) -> Result<(), StoreError> {
    match nodes {
        Nodes::Alone => {}
        Nodes::Database => {
            tasks.spawn(super::postgres::send(engine.clone(), Arc::clone(&ears.outbox)));
            tasks.spawn(super::postgres::listen(url.to_owned(), ears.clone()));
        }
        Nodes::Redis(url) => {
            let client = super::redis::client(url)?;
            tasks.spawn(super::redis::send(client.clone(), Arc::clone(&ears.outbox)));
            tasks.spawn(super::redis::listen(client, ears.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::RandomIds;
    use futures::FutureExt as _;

    use super::*;

    fn outbox() -> Arc<Outbox> {
        Outbox::of(&Nodes::Redis(Secret::from("redis://x")), &RandomIds).unwrap()
    }

    #[tokio::test]
    async fn what_is_told_twice_is_sent_once_and_a_failed_sending_is_not_forgotten() {
        let outbox = outbox();
        assert!(outbox.take().now_or_never().is_none());
        outbox.tell(Topic::Jobs);
        outbox.tell(Topic::Jobs);
        let sent = outbox.take().await;
        assert_eq!(sent.topics.len(), 1);
        outbox.put_back(sent.topics);
        assert_eq!(outbox.take().await.topics.into_iter().collect::<Vec<_>>(), [Topic::Jobs]);
    }

    #[tokio::test]
    async fn text_takes_bounded_room() {
        let outbox = outbox();
        let run = RunId::new(&RandomIds);
        let piece = "x".repeat(MOST_TEXT / 2);
        (0..5).for_each(|_| outbox.pass(run, &piece));
        assert_eq!(outbox.take().await.texts[&run].len(), MOST_TEXT);
    }

    #[test]
    fn a_node_hears_others_and_not_itself() {
        let outbox = outbox();
        let ears = Ears { live: Live::default(), deltas: Deltas::default(), outbox: Arc::clone(&outbox) };
        let mut jobs = ears.live.subscribe(Topic::Jobs);
        ears.hear(&message(outbox.node(), [&Topic::Jobs]));
        assert!(jobs.changed().now_or_never().is_none());
        ears.hear(&message("another", [&Topic::Jobs]));
        assert!(jobs.changed().now_or_never().is_some());
        ears.hear("another nonsense from_the_future");
    }
}
