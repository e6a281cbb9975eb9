//! How much of a quota an identity has used: fixed windows, counted in memory or on Redis.
//!
//! A window opens with the first request of an identity and ends after the quota's time; then the whole quota is there again. So what a
//! client is told holds: after `remaining` more requests one is refused, and after `reset` a refused one is allowed.
//!
//! | module | owns |
//! |---|---|
//! | [`RateLimiter`] (`limiter.rs`) | the handle: which engine counts, what happens while Redis is lost |
//! | `memory.rs` | counting in this process, in a table that cannot grow |
//! | `redis.rs`, `spend.lua` | counting for all nodes: one script for a request |
//!
//! A request may draw on several buckets of one owner (its own, and a ceiling over many). It draws on all of them or on none.

mod limiter;
mod memory;
mod redis;

use std::num::NonZeroU32;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

pub use self::limiter::{LimiterHealth, RateLimiter};
pub use self::redis::{InvalidRedisUrl, RedisOptions, RedisTime};

/// So many requests in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub limit: NonZeroU32,
    /// Whole seconds.
    pub window: Duration,
}

/// What one request draws on. The owner's name and the bucket's name together say which.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'a> {
    pub name: &'a str,
    pub quota: Quota,
}

/// How a bucket stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub quota: Quota,
    /// How many more requests are allowed before `reset` has passed.
    pub remaining: u32,
    /// When the whole quota is there again.
    pub reset: Duration,
}

impl Budget {
    /// [`Self::reset`] in whole seconds, never too early.
    pub fn reset_seconds(&self) -> u64 {
        self.reset.as_secs() + u64::from(self.reset.subsec_nanos() > 0)
    }
}

/// The answer to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub is_allowed: bool,
    /// The tightest of the buckets: the least remaining, and among equals the one that takes longest.
    pub tightest: Budget,
    /// Which of the buckets that is.
    pub at: usize,
}

/// Counting, in one place for all who share it.
trait Engine {
    /// Why it could not count. Nothing was answered then, although something may have been counted.
    type Error;

    /// Draws `cost` (0 or 1) from each of the buckets, or from none if one of them has nothing left. Atomic.
    async fn spend(&self, keys: &Keys, cost: u32) -> Result<Verdict, Self::Error>;
}

/// A name of fixed size, so that no client decides how much memory a bucket takes, and no store of counters holds addresses.
type Key = [u8; 16];

fn digest(parts: &[&str]) -> Key {
    let mut hasher = Sha256::new();
    for part in parts {
        // No name holds a NUL, so two lists of parts never read the same.
        hasher.update(part);
        hasher.update([0]);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let (half, _) = digest.split_first_chunk().expect("16 is less than 32");
    *half
}

/// The buckets of one request under their fixed names.
struct Keys {
    owner: Key,
    buckets: Vec<(Key, Quota)>,
}

impl Keys {
    fn new(owner: &str, buckets: &[Bucket<'_>]) -> Self {
        let keyed = |bucket: &Bucket<'_>| (digest(&[owner, bucket.name]), bucket.quota);
        Self { owner: digest(&[owner]), buckets: buckets.iter().map(keyed).collect() }
    }

    /// The verdict for how the buckets stand: what is used of each, and the milliseconds that its window still takes.
    fn verdict(&self, is_allowed: bool, stand: impl Iterator<Item = (u32, u64)>) -> Verdict {
        let budgets = self.buckets.iter().zip(stand).map(|((_, quota), (used, left_ms))| Budget {
            quota: *quota,
            remaining: quota.limit.get().saturating_sub(used),
            reset: Duration::from_millis(left_ms),
        });
        let (at, tightest) = budgets
            .enumerate()
            .min_by_key(|(_, budget)| (budget.remaining, std::cmp::Reverse(budget.reset)))
            .expect("a request draws on at least one bucket");
        Verdict { is_allowed, tightest, at }
    }
}
