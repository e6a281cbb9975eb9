//! The handle: counts on Redis while it answers, in this process otherwise.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use ::redis::RedisError;
use ::redis::aio::MultiplexedConnection;
use domain::Clock;
use tokio::sync::watch;

use super::memory::{self, Memory};
use super::redis::{Connected, InvalidRedisUrl, Redis, RedisOptions};
use super::{Bucket, Engine as _, Keys, Verdict};

/// Between two attempts to reach a lost Redis: the first pause, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Counts requests against quotas. Cheap to clone.
///
/// While Redis does not answer in time, each node counts for itself, with the same quotas: a client may then spend its quota once on each
/// node. A request waits for a silent Redis once; from then on a task in the background asks whether it is back. What is known to be
/// exhausted stays so across the change, and is refused without asking Redis.
#[derive(Clone)]
pub struct RateLimiter(Arc<Inner>);

struct Inner {
    local: Memory,
    shared: Option<Shared>,
}

struct Shared {
    redis: Redis,
    link: Mutex<Link>,
    is_lost: watch::Sender<bool>,
    outages: AtomicU64,
}

/// The connection, and which it is: a late failure of an older one says nothing about it.
#[derive(Default)]
struct Link {
    number: u64,
    connection: Option<MultiplexedConnection>,
}

/// How the counting goes, for whoever watches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimiterHealth {
    /// `memory` or `redis`, as configured.
    pub engine: &'static str,
    /// Redis is configured and lost: each node counts for itself.
    pub is_degraded: bool,
    /// How often Redis was lost since the start, also when it was not there then.
    pub outages: u64,
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("RateLimiter").field(&self.health()).finish()
    }
}

impl RateLimiter {
    /// Counts in this process.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { local: Memory::new(clock, memory::CAPACITY), shared: None }))
    }

    /// Counts on Redis. One that cannot be reached now is waited for in the background.
    ///
    /// # Errors
    /// Only for a URL that can never lead to a Redis.
    pub async fn on_redis(options: RedisOptions, clock: Arc<dyn Clock>) -> Result<Self, InvalidRedisUrl> {
        let shared =
            Shared { redis: Redis::new(options)?, link: Mutex::default(), is_lost: watch::Sender::new(false), outages: AtomicU64::new(0) };
        let inner = Arc::new(Inner { local: Memory::new(clock, memory::CAPACITY), shared: Some(shared) });
        if let Some(shared) = &inner.shared {
            match shared.redis.connect().await {
                Ok(connection) => shared.found(connection),
                Err(error) => shared.lost(0, &error, &inner),
            }
        }
        Ok(Self(inner))
    }

    /// Draws one request from each of the owner's buckets, or from none if one of them has nothing left.
    pub async fn spend(&self, owner: &str, buckets: &[Bucket<'_>]) -> Verdict {
        self.draw(owner, buckets, 1).await
    }

    /// Tells how the buckets stand, and draws nothing.
    pub async fn look(&self, owner: &str, buckets: &[Bucket<'_>]) -> Verdict {
        self.draw(owner, buckets, 0).await
    }

    /// The refusal that [`Self::spend`] would give, if this node already knows it. Never waits.
    pub fn known_refusal(&self, owner: &str, buckets: &[Bucket<'_>]) -> Option<Verdict> {
        self.0.local.refusal(&Keys::new(owner, buckets))
    }

    pub fn health(&self) -> LimiterHealth {
        match &self.0.shared {
            None => LimiterHealth { engine: "memory", is_degraded: false, outages: 0 },
            Some(shared) => {
                LimiterHealth { engine: "redis", is_degraded: *shared.is_lost.borrow(), outages: shared.outages.load(Ordering::Relaxed) }
            }
        }
    }

    /// Waits until Redis is lost (`true`) or there (`false`). At once without Redis.
    pub async fn until_lost(&self, is_lost: bool) {
        if let Some(shared) = &self.0.shared {
            shared.is_lost.subscribe().wait_for(|now| *now == is_lost).await.expect("the sender lives as long as this handle");
        }
    }

    async fn draw(&self, owner: &str, buckets: &[Bucket<'_>], cost: u32) -> Verdict {
        let keys = Keys::new(owner, buckets);
        let local = &self.0.local;
        let Some(shared) = &self.0.shared else { return local.spend_now(&keys, cost) };
        if let Some(refusal) = local.refusal(&keys) {
            return refusal;
        }
        let Some((number, connection)) = shared.connection() else { return local.spend_now(&keys, cost) };
        match (Connected { redis: &shared.redis, connection }).spend(&keys, cost).await {
            Ok(verdict) => {
                if verdict.tightest.remaining == 0 {
                    local.keep_exhausted(&keys, &verdict);
                }
                verdict
            }
            Err(error) => {
                shared.lost(number, &error, &self.0);
                local.spend_now(&keys, cost)
            }
        }
    }
}

impl Shared {
    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().expect("nothing panics while it holds the link")
    }

    fn connection(&self) -> Option<(u64, MultiplexedConnection)> {
        let link = self.link();
        link.connection.clone().map(|connection| (link.number, connection))
    }

    fn found(&self, connection: MultiplexedConnection) {
        let mut link = self.link();
        link.number += 1;
        link.connection = Some(connection);
        self.is_lost.send_replace(false);
    }

    /// Notes that this connection is of no use, and begins to look for another. Of many that notice, the first one does it.
    fn lost(&self, number: u64, error: &RedisError, inner: &Arc<Inner>) {
        let mut link = self.link();
        let is_first = link.number == number && (link.connection.take().is_some() || number == 0);
        if !is_first {
            return;
        }
        self.is_lost.send_replace(true);
        drop(link);
        self.outages.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%error, "Redis is lost: each node counts rate limits for itself until it is back");
        tokio::spawn(look_for_redis(Arc::downgrade(inner)));
    }
}

/// Ends when Redis is found, or when nobody holds the limiter any more.
async fn look_for_redis(inner: Weak<Inner>) {
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        let Some(inner) = inner.upgrade() else { return };
        let Some(shared) = &inner.shared else { return };
        match shared.redis.connect().await {
            Ok(connection) => {
                shared.found(connection);
                tracing::info!("Redis is back: all nodes share their rate limits again");
                return;
            }
            Err(error) => tracing::debug!(%error, "Redis is still lost"),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
