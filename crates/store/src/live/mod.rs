//! Wakes those who wait for something to be committed: SSE readers, workers. Carries ids only; what happened is read from the
//! tables.
//!
//! | file | owns |
//! |---|---|
//! | `mod.rs` | the wakes of this process |
//! | `topic.rs` | what can be waited for, and its text between nodes |
//! | `nodes.rs` | how nodes on one database reach each other; what waits to be sent |
//! | `redis.rs` | over Redis: wakes, and the text that models produce |
//! | `postgres.rs` | over PostgreSQL's NOTIFY: wakes |
//! | `watch.rs` | the slow look at the tables that makes up for a lost wake |
//!
//! A wake may be lost (a connection broke) or come twice; readers then look later, or once too often, and miss nothing.

mod nodes;
mod postgres;
mod redis;
mod topic;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch::{Receiver, Sender, channel};

pub use self::nodes::Nodes;
pub(crate) use self::nodes::{Ears, Outbox, start};
pub use self::topic::Topic;
pub(crate) use self::watch::watch;

/// The wakes of this process, told to the other nodes where there are any. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Live {
    topics: Arc<Mutex<HashMap<Topic, Sender<u64>>>>,
    outbox: Option<Arc<Outbox>>,
}

/// One reader's ear on a topic.
#[derive(Debug)]
pub struct Subscription {
    live: Live,
    topic: Topic,
    receiver: Receiver<u64>,
}

impl Live {
    pub(crate) fn new(outbox: Option<Arc<Outbox>>) -> Self {
        Self { topics: Arc::default(), outbox }
    }

    /// Listens from now on. Subscribe first, read the tables second: then nothing falls between.
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        let receiver = self.topics().entry(topic).or_insert_with(|| channel(0).0).subscribe();
        Subscription { live: self.clone(), topic, receiver }
    }

    /// Wakes everyone who listens to the topic, on every node.
    pub fn wake(&self, topic: Topic) {
        self.wake_here(topic);
        if let Some(outbox) = &self.outbox {
            outbox.tell(topic);
        }
    }

    /// How often this node could not reach or hear the others, since the start.
    pub fn outages(&self) -> u64 {
        self.outbox.as_ref().map_or(0, |outbox| outbox.outages())
    }

    /// Wakes those who listen in this process.
    pub(crate) fn wake_here(&self, topic: Topic) {
        if let Some(sender) = self.topics().get(&topic) {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Wakes everyone in this process: what happened meanwhile is not known.
    pub(crate) fn wake_all_here(&self) {
        for sender in self.topics().values() {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Whether somebody listens to what is read from the events of runs.
    pub(crate) fn has_readers(&self) -> bool {
        self.topics().keys().any(|topic| matches!(topic, Topic::Run(_) | Topic::Application(_) | Topic::EndUser(_)))
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<Topic, Sender<u64>>> {
        self.topics.lock().expect("nothing panics while it holds the topics")
    }
}

impl Subscription {
    /// Waits until the topic was woken since the last call (or since the start). Several wakes may be one. Cancel-safe.
    pub async fn changed(&mut self) {
        self.receiver.changed().await.expect("the sender stays in the map while this subscription lives");
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut topics = self.live.topics();
        // This subscription's own receiver still counts as one.
        if topics.get(&self.topic).is_some_and(|sender| sender.receiver_count() <= 1) {
            topics.remove(&self.topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{AppId, RandomIds, RunId};
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_wake_reaches_its_topic_once_and_no_other() {
        let live = Live::default();
        let (run, other) = (Topic::Run(RunId::new(&RandomIds)), Topic::Run(RunId::new(&RandomIds)));
        let (mut first, mut second) = (live.subscribe(run), live.subscribe(other));
        live.wake(run);
        live.wake(run);
        assert!(first.changed().now_or_never().is_some());
        assert!(first.changed().now_or_never().is_none());
        assert!(second.changed().now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_topic_without_listeners_takes_no_room() {
        let live = Live::default();
        let topic = Topic::Application(AppId::new(&RandomIds));
        let (first, second) = (live.subscribe(topic), live.subscribe(topic));
        drop(first);
        assert_eq!(live.topics().len(), 1);
        drop(second);
        assert_eq!(live.topics().len(), 0);
    }
}
