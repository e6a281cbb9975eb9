//! The tails of this process: one for each sequence that somebody follows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use domain::{AppId, EndUserId, PackageName};
use store::EventCursor;

use super::tail::{Following, Tail};

/// What tells two sequences apart. Members and keys of an application reach the same runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    app: AppId,
    end_user: Option<EndUserId>,
    agent: Option<PackageName>,
}

/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hub {
    tails: Arc<Mutex<HashMap<Key, Weak<Tail>>>>,
}

/// One client's hold on a tail.
#[derive(Debug)]
pub(super) struct Held {
    hub: Hub,
    key: Key,
    /// `None` only while it is dropped.
    tail: Option<Arc<Tail>>,
}

impl Hub {
    /// The tail of what is followed. If nobody follows it yet it begins behind `from`.
    pub(super) fn join(&self, following: &Following, from: EventCursor) -> Held {
        let scope = following.scope;
        let key = Key { app: scope.app(), end_user: scope.reach().end_user(), agent: following.agent.clone() };
        let mut tails = self.tails();
        let tail = tails.get(&key).and_then(Weak::upgrade).unwrap_or_else(|| {
            let tail = Arc::new(Tail::start(following.clone(), from));
            tails.insert(key.clone(), Arc::downgrade(&tail));
            tail
        });
        drop(tails);
        Held { hub: self.clone(), key, tail: Some(tail) }
    }

    fn tails(&self) -> MutexGuard<'_, HashMap<Key, Weak<Tail>>> {
        self.tails.lock().expect("nothing panics while it holds the tails")
    }
}

impl std::ops::Deref for Held {
    type Target = Tail;

    fn deref(&self) -> &Tail {
        self.tail.as_deref().expect("held until it is dropped")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut tails = self.hub.tails();
        drop(self.tail.take());
        // Under the lock nobody can join meanwhile: without a holder the entry is dead.
        if tails.get(&self.key).is_some_and(|tail| tail.strong_count() == 0) {
            tails.remove(&self.key);
        }
    }
}
