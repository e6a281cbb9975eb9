//! Redis goes away and comes back while both nodes run: limits are counted by each, streams and runs go on, and health says so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::client::Api;
use testkit::events::Events;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::cluster::{Cluster, Line, setting, talkative};

/// The way to Redis, which can be cut: the Redis of the tests is everybody's.
struct Relay {
    url: String,
    is_open: Arc<watch::Sender<bool>>,
}

impl Relay {
    async fn open() -> anyhow::Result<Self> {
        let redis = setting("TEST_REDIS_URL");
        let (address, database) = redis.strip_prefix("redis://").and_then(|rest| rest.split_once('/')).context("redis://host:port/0")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("redis://{}/{database}", listener.local_addr()?);
        let is_open = Arc::new(watch::Sender::new(true));
        tokio::spawn(pass_on(listener, address.to_owned(), Arc::clone(&is_open)));
        Ok(Self { url, is_open })
    }

    fn set_open(&self, is_open: bool) {
        self.is_open.send_replace(is_open);
    }
}

/// Carries every connection there and back until the way is cut; while it is, none lasts.
async fn pass_on(listener: TcpListener, address: String, is_open: Arc<watch::Sender<bool>>) {
    while let Ok((mut node, _)) = listener.accept().await {
        let (mut state, address) = (is_open.subscribe(), address.clone());
        tokio::spawn(async move {
            if !*state.borrow_and_update() {
                return;
            }
            let Ok(mut redis) = TcpStream::connect(address).await else { return };
            tokio::select! {
                _ = copy_bidirectional(&mut node, &mut redis) => {}
                _ = state.wait_for(|is_open| !is_open) => {}
            }
        });
    }
}

const QUOTA: usize = 30;

/// So many reads of the path, by turns on both nodes; how many each of them allowed.
async fn allowed(nodes: &[Api; 2], path: &str) -> anyhow::Result<[usize; 2]> {
    let asked = nodes.iter().cycle().take(4 * QUOTA);
    let answers = try_join_all(asked.map(|api| api.call(Method::GET, path, None))).await?;
    let of = |node: usize| answers.iter().skip(node).step_by(2).filter(|(status, _)| *status == 200).count();
    ensure!(answers.iter().all(|(status, _)| matches!(status, 200 | 429)), "{answers:?}");
    Ok([of(0), of(1)])
}

/// Waits until both nodes say this of their limits.
async fn until(nodes: &[Api; 2], wanted: &str) -> anyhow::Result<()> {
    let begin = Instant::now();
    loop {
        let health: Vec<Value> = try_join_all(nodes.iter().map(|api| api.get("/health"))).await?;
        if health.iter().all(|health| health["checks"]["limits"]["status"] == wanted) {
            let agrees = health.iter().all(|health| (health["status"] == "degraded") == (wanted == "degraded"));
            ensure!(agrees, "{health:?}");
            return Ok(());
        }
        ensure!(begin.elapsed() < Duration::from_secs(30), "not {wanted}: {health:?}");
        // Health counts against the quota of reads too.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

const METRICS_TOKEN: &str = "the operator's token";

/// How often each node has lost the others, as the operator reads it.
async fn outages(cluster: &Cluster) -> anyhow::Result<[u64; 2]> {
    let mut counts = [0; 2];
    for (count, base_url) in counts.iter_mut().zip([cluster.front.base_url(), cluster.back.base_url()]) {
        let operator = Api::new(&base_url).with("authorization", &format!("Bearer {METRICS_TOKEN}"));
        let (status, page) = operator.call(Method::GET, "/metrics", None).await?;
        let page = page.as_str().context("the metrics are text")?;
        let value = page.lines().find_map(|line| line.strip_prefix("appstrate_live_outages_total "));
        *count = value.with_context(|| format!("{status}: {page}"))?.parse()?;
    }
    Ok(counts)
}

/// Waits until both nodes have counted the outage.
async fn counted(cluster: &Cluster, before: [u64; 2]) -> anyhow::Result<()> {
    let begin = Instant::now();
    loop {
        let now = outages(cluster).await?;
        if now.iter().zip(&before).all(|(now, before)| now > before) {
            return Ok(());
        }
        ensure!(begin.elapsed() < Duration::from_secs(30), "not counted: {before:?}, then {now:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A run is carried out on one node and followed on the other, whole, once and in order; the longest time between two of its lines.
async fn followed(cluster: &Cluster, agent: &str) -> anyhow::Result<Duration> {
    let run = cluster.customer.start(agent, &json!({})).await?;
    let mut events = Events::open(&cluster.customer.api, &format!("/api/realtime/runs/{run}")).await?;
    let (mut numbers, mut gaps, mut before) = (Vec::new(), Vec::new(), Instant::now());
    while let Some(frame) = events.next().await? {
        if frame.data.contains("\"line ") {
            gaps.push(before.elapsed());
        }
        numbers.push(frame.number()?);
        before = Instant::now();
    }
    ensure!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    ensure!(gaps.len() >= 12, "{} lines", gaps.len());
    let ended = cluster.customer.ended(&run).await?;
    ensure!(ended["status"] == "success", "{ended}");
    gaps.into_iter().max().context("lines were said")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_redis_is_told_and_found_again() -> anyhow::Result<()> {
    let relay = Relay::open().await?;
    // An hour, so that no window ends within the story; two classes, one for each time that is counted.
    let limits = json!({
        "read": { "limit": QUOTA, "window": 3600 }, "run": { "limit": 1000 }, "create": { "limit": 1000 }, "write": { "limit": 1000 },
        "auth": { "limit": 1000 }, "public": { "limit": 1000 }, "import": { "limit": 1000 }
    });
    let limits = limits.to_string();
    let settings = [("RATE_LIMITS", &*limits), ("REDIS_TIMEOUT_MS", "10000"), ("REDIS_URL", &*relay.url), ("METRICS_TOKEN", METRICS_TOKEN)];
    let cluster = Cluster::start_with(Line::Redis, &settings).await?;
    let agent = cluster.agent(talkative(12)).await?;
    let nodes = [cluster.tenant.api.clone(), cluster.back.asked_by(&cluster.tenant.api)];
    until(&nodes, "healthy").await?;
    let before = outages(&cluster).await?;

    relay.set_open(false);
    // Each of them notices by the first request that wants to count.
    let [front, back] = allowed(&nodes, "/api/models").await?;
    ensure!((front, back) == (QUOTA, QUOTA), "each node counts for itself: {front} and {back}");
    until(&nodes, "degraded").await?;
    counted(&cluster, before).await?;
    // Late by the 3 seconds after which a node looks by itself, and complete.
    let most = followed(&cluster, &agent).await?;
    ensure!(most < Duration::from_secs(10), "{most:?}");

    relay.set_open(true);
    until(&nodes, "healthy").await?;
    let [front, back] = allowed(&nodes, "/api/proxies").await?;
    ensure!(front + back == QUOTA, "they count together again: {front} and {back}");
    awake(&cluster, &agent).await?;
    // Once when a node no longer heard the others and once when it could not reach them, however often it has tried since.
    let after = outages(&cluster).await?;
    ensure!(after.iter().zip(&before).all(|(after, before)| after - before <= 2), "{before:?}, then {after:?}");
    cluster.end().await
}

/// Waits until the nodes wake each other again.
async fn awake(cluster: &Cluster, agent: &str) -> anyhow::Result<()> {
    for _ in 0..5 {
        if followed(cluster, agent).await? < Duration::from_secs(2) {
            return Ok(());
        }
    }
    anyhow::bail!("the nodes do not wake each other any more:\n{}", cluster.back.log()?)
}
