//! Outer uids for sandboxes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::protocol::Identity;

/// Uids that belong to nobody else on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UidRange {
    pub first: u32,
    pub count: u32,
}

impl Default for UidRange {
    /// 200000 to 265535: above ordinary users, below the ranges that `useradd` hands to container tools from 524288.
    fn default() -> Self {
        Self { first: 200_000, count: 65_536 }
    }
}

/// The uids in use.
#[derive(Debug)]
pub(super) struct Uids {
    range: UidRange,
    as_root: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: BTreeSet<u32>,
    next: u32,
}

/// A uid that is this sandbox's until the lease is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    uids: Arc<Uids>,
    offset: Option<u32>,
}

impl Uids {
    pub(super) fn new(range: UidRange, as_root: bool) -> Self {
        Self { range, as_root, state: Mutex::default() }
    }

    /// Takes a uid; they go round, so that one is not used again at once. `None`: all are in use.
    pub(super) fn take(self: &Arc<Self>) -> Option<Lease> {
        let offset = if self.as_root { Some(self.take_offset()?) } else { None };
        Some(Lease { uids: Arc::clone(self), offset })
    }

    fn take_offset(&self) -> Option<u32> {
        let mut state = self.state.lock().expect("nothing panics under this lock");
        // Uid 0 of the outside is never given, whatever the range says.
        let candidates = (0..self.range.count).map(|step| (state.next.wrapping_add(step)) % self.range.count);
        let offset = candidates.into_iter().find(|offset| {
            !state.taken.contains(offset) && self.range.first.checked_add(*offset).is_some_and(|uid| uid != 0 && uid != u32::MAX)
        })?;
        state.taken.insert(offset);
        state.next = (offset + 1) % self.range.count;
        Some(offset)
    }

    pub(super) fn describe(&self) -> String {
        let UidRange { first, count } = self.range;
        if self.as_root {
            format!("one of {first} to {} for each run", first.saturating_add(count.saturating_sub(1)))
        } else {
            "the worker's own".to_owned()
        }
    }
}

impl Lease {
    pub(super) fn identity(&self) -> Identity {
        self.offset.map_or(Identity::Own, |offset| Identity::Given(self.uids.range.first + offset))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(offset) = self.offset {
            self.uids.state.lock().expect("nothing panics under this lock").taken.remove(&offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_its_own_uid_until_it_ends() {
        let uids = Arc::new(Uids::new(UidRange { first: 300_000, count: 2 }, true));
        let first = uids.take().unwrap();
        let second = uids.take().unwrap();
        assert_eq!((first.identity(), second.identity()), (Identity::Given(300_000), Identity::Given(300_001)));
        assert!(uids.take().is_none(), "both are in use");
        drop(first);
        assert_eq!(uids.take().unwrap().identity(), Identity::Given(300_000));
    }

    #[test]
    fn a_range_that_begins_at_root_never_gives_root() {
        let uids = Arc::new(Uids::new(UidRange { first: 0, count: 2 }, true));
        let only = uids.take().unwrap();
        assert_eq!(only.identity(), Identity::Given(1));
        assert!(uids.take().is_none());
    }

    #[test]
    fn an_ordinary_user_has_only_its_own() {
        let uids = Arc::new(Uids::new(UidRange::default(), false));
        let (one, two) = (uids.take().unwrap(), uids.take().unwrap());
        assert_eq!((one.identity(), two.identity()), (Identity::Own, Identity::Own));
    }
}
