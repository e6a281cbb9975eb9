//! Windows in this process.
//!
//! The table has a fixed number of slots, so an attacker with many identities cannot make it grow. What must give way for a new bucket is
//! chosen so that nobody wins a fresh quota by it: a window that is over; else one that is far from its limit, which forgives a few
//! requests. A bucket at its limit goes only when every other one of its shard is at its limit too, and then the one that would have
//! opened next. Whoever wants to be forgotten that way must first exhaust thousands of identities, each within the same minute.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::Clock;

use super::{Engine, Key, Keys, Quota, Verdict};

/// Buckets kept by default. Full, they take about 7 MB.
pub(super) const CAPACITY: usize = 100_000;

const SHARDS: usize = 16;

/// How many slots are looked at before the best of them gives way.
const SAMPLE: usize = 16;

/// The table. All buckets of one owner are in one shard, so a request takes one lock.
pub(super) struct Memory {
    clock: Arc<dyn Clock>,
    /// Its key is random: nobody outside knows which owners share a shard.
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
}

struct Shard {
    capacity: usize,
    index: HashMap<Key, usize>,
    slots: Vec<Slot>,
    /// Where the next search for a slot begins.
    hand: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    key: Key,
    used: u32,
    limit: u32,
    /// The end of the window, in milliseconds of the clock.
    ends: i64,
}

/// A bucket as a request finds it: what is used, and when its window ends.
type Found = (u32, i64);

impl Memory {
    /// A table of `capacity` buckets; a little more where that does not divide.
    pub(super) fn new(clock: Arc<dyn Clock>, capacity: usize) -> Self {
        // More slots than one request has buckets, so that there is always one to give way.
        let capacity = capacity.div_ceil(SHARDS).max(4);
        let shard = || Mutex::new(Shard { capacity, index: HashMap::new(), slots: Vec::new(), hand: 0 });
        Self { clock, hasher: RandomState::new(), shards: (0..SHARDS).map(|_| shard()).collect() }
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    fn shard(&self, owner: &Key) -> MutexGuard<'_, Shard> {
        let at = self.hasher.hash_one(owner) % SHARDS as u64;
        let shard = &self.shards[usize::try_from(at).expect("less than the number of shards")];
        shard.lock().expect("nothing panics while it holds a shard")
    }

    /// The verdict, without waiting.
    pub(super) fn spend_now(&self, keys: &Keys, cost: u32) -> Verdict {
        let now = self.now();
        let mut shard = self.shard(&keys.owner);
        let mut found: Vec<Found> = keys.buckets.iter().map(|(key, quota)| shard.find(key, *quota, now)).collect();
        let is_allowed = keys.buckets.iter().zip(&found).all(|((_, quota), (used, _))| *used < quota.limit.get());
        if is_allowed && cost > 0 {
            for ((key, quota), (used, ends)) in keys.buckets.iter().zip(&mut found) {
                *used += cost;
                shard.put(Slot { key: *key, used: *used, limit: quota.limit.get(), ends: *ends }, now, keys);
            }
        }
        drop(shard);
        keys.verdict(is_allowed, found.into_iter().map(|(used, ends)| (used, left(ends, now))))
    }

    /// The refusal, if one of the buckets is known to have nothing left.
    pub(super) fn refusal(&self, keys: &Keys) -> Option<Verdict> {
        Some(self.spend_now(keys, 0)).filter(|verdict| !verdict.is_allowed)
    }

    /// Keeps what another engine has found out: the bucket has nothing left.
    pub(super) fn keep_exhausted(&self, keys: &Keys, verdict: &Verdict) {
        let now = self.now();
        let (key, quota) = keys.buckets[verdict.at];
        let ends = now + milliseconds(verdict.tightest.reset);
        let limit = quota.limit.get();
        self.shard(&keys.owner).put(Slot { key, used: limit, limit, ends }, now, keys);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().expect("not poisoned").slots.len()).sum()
    }
}

impl Engine for Memory {
    type Error = Infallible;

    async fn spend(&self, keys: &Keys, cost: u32) -> Result<Verdict, Infallible> {
        Ok(self.spend_now(keys, cost))
    }
}

fn left(ends: i64, now: i64) -> u64 {
    u64::try_from(ends - now).unwrap_or(0)
}

fn milliseconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).expect("a window is at most a day")
}

impl Shard {
    /// What is used of a bucket and when its window ends; a window that would open now if there is none.
    fn find(&self, key: &Key, quota: Quota, now: i64) -> Found {
        let fresh = now + milliseconds(quota.window);
        match self.index.get(key).map(|at| self.slots[*at]) {
            // A clock that was set back does not make a window longer than it is.
            Some(slot) if slot.ends > now => (slot.used, slot.ends.min(fresh)),
            _ => (0, fresh),
        }
    }

    fn put(&mut self, slot: Slot, now: i64, keys: &Keys) {
        if let Some(at) = self.index.get(&slot.key) {
            self.slots[*at] = slot;
        } else if self.slots.len() < self.capacity {
            self.index.insert(slot.key, self.slots.len());
            self.slots.push(slot);
        } else {
            let at = self.gives_way(now, keys);
            self.index.remove(&self.slots[at].key);
            self.index.insert(slot.key, at);
            self.slots[at] = slot;
        }
    }

    /// The slot that gives way; never one of the request itself. Looks at [`SAMPLE`] slots, and at more only while all are at their limit.
    fn gives_way(&mut self, now: i64, keys: &Keys) -> usize {
        let mut best: Option<((bool, i64), usize)> = None;
        for step in 0..self.slots.len() {
            if step >= SAMPLE && best.is_some_and(|((is_exhausted, _), _)| !is_exhausted) {
                break;
            }
            let at = (self.hand + step) % self.slots.len();
            let slot = self.slots[at];
            if keys.buckets.iter().any(|(key, _)| *key == slot.key) {
                continue;
            }
            if slot.ends <= now {
                best = Some(((false, 0), at));
                break;
            }
            let harm = if slot.used >= slot.limit {
                (true, slot.ends - now)
            } else {
                (false, i64::from(slot.used) * 1000 / i64::from(slot.limit))
            };
            if best.is_none_or(|(least, _)| harm < least) {
                best = Some((harm, at));
            }
        }
        let (_, at) = best.expect("a shard has more slots than a request has buckets");
        self.hand = (at + 1) % self.slots.len();
        at
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use domain::mock::MockClock;

    use super::*;
    use crate::limits::Bucket;

    fn quota(limit: u32) -> Quota {
        Quota { limit: NonZeroU32::new(limit).expect("not zero"), window: Duration::from_mins(1) }
    }

    fn spend(memory: &Memory, owner: &str, limit: u32) -> bool {
        memory.spend_now(&Keys::new(owner, &[Bucket { name: "GET:/", quota: quota(limit) }]), 1).is_allowed
    }

    #[test]
    fn many_identities_do_not_make_it_grow_and_free_nobody() {
        let memory = Memory::new(Arc::new(MockClock::default()), 1600);
        let exhausted: Vec<String> = (0..100).map(|number| format!("exhausted {number}")).collect();
        for owner in &exhausted {
            assert!(spend(&memory, owner, 1));
        }
        for number in 0..20_000 {
            spend(&memory, &format!("attacker {number}"), 60);
        }
        assert!(memory.len() <= 1600, "{}", memory.len());
        for owner in &exhausted {
            assert!(!spend(&memory, owner, 1), "{owner} was forgotten");
        }
    }

    #[test]
    fn who_is_near_the_limit_is_forgotten_later_than_who_just_came() {
        let memory = Memory::new(Arc::new(MockClock::default()), 1600);
        let busy: Vec<String> = (0..50).map(|number| format!("busy {number}")).collect();
        for owner in &busy {
            for _ in 0..19 {
                assert!(spend(&memory, owner, 20));
            }
        }
        for number in 0..20_000 {
            spend(&memory, &format!("attacker {number}"), 20);
        }
        for owner in &busy {
            assert!(spend(&memory, owner, 20), "{owner}'s twentieth");
            assert!(!spend(&memory, owner, 20), "{owner} had 19 forgiven");
        }
    }

    #[test]
    fn a_table_full_of_exhausted_buckets_still_takes_new_ones() {
        let clock = Arc::new(MockClock::default());
        let memory = Memory::new(clock.clone(), 64);
        for number in 0..2000 {
            assert!(spend(&memory, &format!("identity {number}"), 1));
            clock.advance(Duration::from_millis(1));
        }
        assert!(memory.len() <= 64);
        assert!(!spend(&memory, "identity 1999", 1), "the newest is the last to be forgotten");
    }

    #[test]
    fn windows_that_are_over_give_way_first() {
        let clock = Arc::new(MockClock::default());
        let memory = Memory::new(clock.clone(), 64);
        for number in 0..64 {
            spend(&memory, &format!("old {number}"), 60);
        }
        clock.advance(Duration::from_mins(1));
        spend(&memory, "new", 2);
        for number in 0..4 {
            spend(&memory, &format!("newer {number}"), 60);
        }
        assert!(spend(&memory, "new", 2));
        assert!(!spend(&memory, "new", 2));
    }

    #[test]
    fn the_buckets_of_one_request_do_not_push_each_other_out() {
        let memory = Memory::new(Arc::new(MockClock::default()), 1);
        for number in 0..10 {
            let path = format!("POST:/{number}");
            let buckets = [Bucket { name: "run", quota: quota(10) }, Bucket { name: &path, quota: quota(5) }];
            let verdict = memory.spend_now(&Keys::new("key", &buckets), 1);
            assert!(verdict.is_allowed);
            assert_eq!(memory.spend_now(&Keys::new("key", &buckets), 0).tightest, verdict.tightest);
        }
        let buckets = [Bucket { name: "run", quota: quota(10) }, Bucket { name: "POST:/new", quota: quota(5) }];
        assert!(!memory.spend_now(&Keys::new("key", &buckets), 1).is_allowed);
    }
}
