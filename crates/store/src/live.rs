//! Wakes those who wait for something to be committed: SSE readers, workers. Carries ids only; what happened is read from the
//! tables.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::{AppId, RunId};
use tokio::sync::watch;

/// What a reader waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// An event of one run.
    Run(RunId),
    /// Any event of one application.
    Application(AppId),
    /// A request to stop one run.
    Cancel(RunId),
    /// A job that may be due.
    Jobs,
}

/// The wakes of this process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Live {
    topics: Arc<Mutex<HashMap<Topic, watch::Sender<u64>>>>,
}

/// One reader's ear on a topic.
#[derive(Debug)]
pub struct Subscription {
    live: Live,
    topic: Topic,
    receiver: watch::Receiver<u64>,
}

impl Live {
    /// Listens from now on. Subscribe first, read the tables second: then nothing falls between.
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        let receiver = self.topics().entry(topic).or_insert_with(|| watch::channel(0).0).subscribe();
        Subscription { live: self.clone(), topic, receiver }
    }

    /// Wakes everyone who listens to the topic.
    pub fn wake(&self, topic: Topic) {
        if let Some(sender) = self.topics().get(&topic) {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<Topic, watch::Sender<u64>>> {
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
    use domain::RandomIds;
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
