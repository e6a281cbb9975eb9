//! Windows on Redis, one count for all nodes: one script for a request, exact under load.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, RedisError, Script};
use domain::{Clock, Secret};

use super::{Bucket, Engine, Keys, Quota, Verdict};

/// What says which moment it is.
#[derive(Clone, Debug)]
pub enum RedisTime {
    /// Redis itself: nodes whose clocks differ agree on every window.
    Server,
    /// A clock of this process, for tests that move time by hand.
    Given(Arc<dyn Clock>),
}

/// How to count on Redis.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// `redis://…`, or `rediss://…` for TLS.
    pub url: Secret,
    /// Begins the name of every key. Default `appstrate:limits:`.
    pub prefix: String,
    /// How long a request waits for Redis before this node counts for itself. Default 50 ms.
    pub timeout: Duration,
    pub time: RedisTime,
}

impl RedisOptions {
    pub fn new(url: Secret) -> Self {
        Self { url, prefix: "appstrate:limits:".to_owned(), timeout: Duration::from_millis(50), time: RedisTime::Server }
    }
}

/// A text that is no URL of a Redis server. Says nothing of the text, which may hold a password.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not a URL like redis://host:6379/0 (rediss:// for TLS)")]
pub struct InvalidRedisUrl;

/// How long a new connection may take; nothing waits for it but the start.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How to reach the server, and the script.
pub(super) struct Redis {
    client: Client,
    script: Script,
    prefix: String,
    timeout: Duration,
    time: RedisTime,
}

/// An open connection. It does not come back of itself: [`super::RateLimiter`] must know when it is lost, and opens another.
pub(super) struct Connected<'r> {
    pub(super) redis: &'r Redis,
    pub(super) connection: MultiplexedConnection,
}

impl fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client knows the password.
        formatter.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Redis {
    pub(super) fn new(options: RedisOptions) -> Result<Self, InvalidRedisUrl> {
        let client = Client::open(options.url.expose().as_str()).map_err(|_| InvalidRedisUrl)?;
        let script = Script::new(include_str!("spend.lua"));
        Ok(Self { client, script, prefix: options.prefix, timeout: options.timeout, time: options.time })
    }

    /// Opens a connection on which counting works: a replica or a server without memory answers, and counts nothing.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(CONNECT_TIMEOUT.max(self.timeout)));
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let quota = Quota { limit: std::num::NonZeroU32::MAX, window: Duration::from_secs(1) };
        let probe = Keys::new("probe", &[Bucket { name: "probe", quota }]);
        Connected { redis: self, connection: connection.clone() }.spend(&probe, 1).await?;
        connection.set_response_timeout(self.timeout);
        Ok(connection)
    }
}

impl Engine for Connected<'_> {
    type Error = RedisError;

    async fn spend(&self, keys: &Keys, cost: u32) -> Result<Verdict, RedisError> {
        let Redis { script, prefix, time, .. } = self.redis;
        let mut call = script.prepare_invoke();
        call.arg(cost);
        match time {
            RedisTime::Server => call.arg(""),
            RedisTime::Given(clock) => call.arg(clock.now().timestamp_millis()),
        };
        // The braces keep the buckets of one owner in one slot of a cluster.
        let owner = hex::encode(keys.owner);
        for (key, quota) in &keys.buckets {
            call.key(format!("{prefix}{{{owner}}}:{}", hex::encode(key)));
            call.arg(quota.limit.get()).arg(u64::try_from(quota.window.as_millis()).expect("a window is at most a day"));
        }
        let reply: Vec<u64> = call.invoke_async(&mut self.connection.clone()).await?;
        let (is_allowed, stand) = reply
            .split_first()
            .filter(|(_, stand)| stand.len() == 2 * keys.buckets.len())
            .ok_or_else(|| RedisError::from((::redis::ErrorKind::UnexpectedReturnType, "the script answered something else")))?;
        let stand = stand.chunks_exact(2).map(|pair| (u32::try_from(pair[0]).unwrap_or(u32::MAX), pair[1]));
        Ok(keys.verdict(*is_allowed == 1, stand))
    }
}
