//! What the promises cost each request: the audit row of a customer's call, the rate limit, the idempotency key.
//!
//! Each pair is measured by turns on one connection each, so that whatever else the machine does meets both alike.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bench::load::{self, Connection};
use bench::quantiles::Quantiles;
use domain::SystemClock;
use serde_json::json;
use store::{Bucket, Quota, RateLimiter, RedisOptions};
use testkit::scripted_model::say;

use crate::Options;
use crate::report::{Bar, Report};
use crate::world::{Database, World};

/// Requests that open connections and warm caches, of each kind.
const WARMUP: usize = 50;

pub(crate) async fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    for database in options.databases() {
        let world = World::start(&database, &[], vec![say("Done.")]).await?;
        audit_row(options, report, (&world, database.name())).await?;
        idempotency_key(options, report, (&world, database.name())).await?;
        if let Some(redis) = &options.redis {
            limit_on_redis(options, report, (&world, &database, redis)).await?;
        }
    }
    counting(options, report).await
}

/// A read that does the same with and without a customer, but for the customer's row and the audit row.
async fn audit_row(options: &Options, report: &mut Report, (world, engine): (&World, &str)) -> anyhow::Result<()> {
    let run = world.customer.run(&world.agent, &json!({})).await?;
    let path = format!("/api/runs/{}", run["id"].as_str().context("a run has an id")?);
    let request = |headers: &[String]| load::request("GET", &path, &world.headers(headers), "");
    let (plain, audited) = (request(&[]), request(&[format!("appstrate-user: {}", world.customer.id)]));
    let address = world.address()?;
    let count = options.count(4_000, 50);
    let [plain, audited] = by_turns([address; 2], count, move |kind, _| if kind == 0 { plain.clone() } else { audited.clone() }).await?;
    report.durations(&format!("{engine}, read of a run with a key"), &plain, Bar::None);
    report.durations(&format!("{engine}, the same for an end-user, audited"), &audited, Bar::None);
    difference(report, &format!("{engine}: end-user and audit row"), &audited, &plain)
}

async fn idempotency_key(options: &Options, report: &mut Report, (world, engine): (&World, &str)) -> anyhow::Result<()> {
    let (plain, address) = (world.headers(&[]), world.address()?);
    let create = move |kind: usize, number: usize| {
        let mut headers = plain.clone();
        match kind {
            0 => {}
            1 => headers.push(format!("idempotency-key: fresh-{number}")),
            _ => headers.push("idempotency-key: the-same".to_owned()),
        }
        load::request("POST", "/api/end-users", &headers, r#"{"name":"Ada"}"#)
    };
    let [without, fresh, replayed] = by_turns([address; 3], options.count(2_000, 50), create).await?;
    report.durations(&format!("{engine}, create an end-user"), &without, Bar::None);
    report.durations(&format!("{engine}, the same under a fresh idempotency key"), &fresh, Bar::None);
    report.durations(&format!("{engine}, the same replayed"), &replayed, Bar::None);
    difference(report, &format!("{engine}: idempotency key"), &fresh, &without)
}

/// The same server counting in its memory and on Redis.
async fn limit_on_redis(options: &Options, report: &mut Report, (world, database, redis): (&World, &Database, &str)) -> anyhow::Result<()> {
    let shared = World::start(database, &[("REDIS_URL", redis)], vec![say("Done.")]).await?;
    let request = |world: &World| load::request("GET", "/api/models", &world.headers(&[]), "");
    let requests = [request(world), request(&shared)];
    let addresses = [world.address()?, shared.address()?];
    let [memory, redis] = by_turns(addresses, options.count(4_000, 50), move |kind, _| requests[kind].clone()).await?;
    let engine = database.name();
    report.durations(&format!("{engine}, list of models, limits counted in memory"), &memory, Bar::None);
    report.durations(&format!("{engine}, list of models, limits counted on Redis"), &redis, Bar::None);
    difference(report, &format!("{engine}: limits on Redis instead of in memory"), &redis, &memory)
}

/// The count alone, in this process: two buckets, as a start of a run draws from.
async fn counting(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let quota = Quota { limit: NonZeroU32::MAX, window: Duration::from_mins(1) };
    let buckets = [Bucket { name: "run", quota }, Bucket { name: "run-ceiling", quota }];
    let mut limiters = vec![("in memory", RateLimiter::in_memory(Arc::new(SystemClock)))];
    if let Some(redis) = &options.redis {
        let on_redis = RateLimiter::on_redis(RedisOptions::new(redis.clone().into()), Arc::new(SystemClock)).await?;
        limiters.push(("on Redis", on_redis));
    }
    for (place, limiter) in limiters {
        let mut durations = Vec::new();
        for number in 0..options.count(20_000, 100) {
            let owner = format!("key-{}", number % 1_000);
            let begin = Instant::now();
            limiter.spend(&owner, &buckets).await;
            durations.push(begin.elapsed());
        }
        report.durations(&format!("rate limit alone, {place}"), &durations, Bar::None);
    }
    Ok(())
}

fn difference(report: &mut Report, what: &str, with: &[Duration], without: &[Duration]) -> anyhow::Result<()> {
    let quantiles = |durations: &[Duration]| Quantiles::of(durations).context("nothing was measured");
    report.difference(&format!("– {what}"), (quantiles(with)?, quantiles(without)?), Bar::None);
    Ok(())
}

/// Sends `count` requests of each kind, one at a time and by turns: request `number` of kind 0, of kind 1, and so on.
async fn by_turns<const KINDS: usize>(
    addresses: [SocketAddr; KINDS],
    count: usize,
    request: impl Fn(usize, usize) -> Vec<u8> + Send + 'static,
) -> anyhow::Result<[Vec<Duration>; KINDS]> {
    let measured = tokio::task::spawn_blocking(move || {
        let mut connections = addresses.into_iter().map(Connection::open).collect::<Result<Vec<_>, _>>()?;
        let mut durations: [Vec<Duration>; KINDS] = std::array::from_fn(|_| Vec::with_capacity(count));
        for number in 0..WARMUP + count {
            for (kind, connection) in connections.iter_mut().enumerate() {
                let request = request(kind, number);
                let begin = Instant::now();
                connection.exchange(&request)?;
                if number >= WARMUP {
                    durations[kind].push(begin.elapsed());
                }
            }
        }
        Ok::<_, std::io::Error>(durations)
    });
    Ok(measured.await??)
}
