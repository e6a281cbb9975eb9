//! Topics to wake once the transaction is committed, and never if it is not.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::live::{Live, Topic};

#[derive(Debug, Default)]
pub(crate) struct Wakes(Mutex<BTreeSet<Topic>>);

impl Wakes {
    pub(crate) fn add(&self, topic: Topic) {
        self.0.lock().expect("nothing panics while it holds the topics").insert(topic);
    }

    pub(crate) fn deliver(self, live: &Live) {
        for topic in self.0.into_inner().expect("nothing panics while it holds the topics") {
            live.wake(topic);
        }
    }
}
