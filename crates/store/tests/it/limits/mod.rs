//! Counting against quotas: one suite for both engines, and what happens while Redis is lost.
//!
//! In memory always; on Redis too when `TEST_REDIS_URL` names a server, for which `scripts/services.sh` provides.

mod engines;
mod lost;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use domain::mock::MockClock;
use domain::{RandomIds, RequestId};
use store::{Bucket, Quota, RateLimiter, RedisOptions, RedisTime};

/// Nodes that count together, and the clock that they all go by.
struct Nodes {
    engine: &'static str,
    clock: Arc<MockClock>,
    /// One in memory, two on Redis.
    limiters: Vec<RateLimiter>,
}

impl Nodes {
    async fn each() -> Vec<Self> {
        let clock = Arc::new(MockClock::default());
        let mut each = vec![Self { engine: "memory", limiters: vec![RateLimiter::in_memory(clock.clone())], clock }];
        if let Some(url) = redis_url() {
            let clock = Arc::new(MockClock::default());
            let options = RedisOptions { time: RedisTime::Given(clock.clone()), ..options(&url) };
            let mut limiters = Vec::new();
            for _ in 0..2 {
                limiters.push(RateLimiter::on_redis(options.clone(), clock.clone()).await.unwrap());
            }
            each.push(Self { engine: "redis", clock, limiters });
        }
        each
    }

    /// Draws one request from a bucket on the first node.
    async fn spend(&self, owner: &str, bucket: Bucket<'_>) -> store::Verdict {
        self.limiters[0].spend(owner, &[bucket]).await
    }
}

/// Keys of their own for each test; patient, because the machine may be busy with other tests.
fn options(url: &str) -> RedisOptions {
    let prefix = format!("test:{}:", RequestId::new(&RandomIds));
    RedisOptions { prefix, timeout: Duration::from_secs(30), ..RedisOptions::new(url.into()) }
}

fn quota(limit: u32, seconds: u64) -> Quota {
    Quota { limit: NonZeroU32::new(limit).unwrap(), window: Duration::from_secs(seconds) }
}

fn bucket(name: &str, limit: u32) -> Bucket<'_> {
    Bucket { name, quota: quota(limit, 60) }
}

#[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
fn redis_url() -> Option<String> {
    std::env::var("TEST_REDIS_URL").ok()
}
