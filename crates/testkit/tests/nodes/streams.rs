//! A stream shows on one node what another carries out: all of it, once, in order, at once, and wherever it is taken up again.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use testkit::client::Api;
use testkit::events::{Events, Frame, whole};

use crate::cluster::{Cluster, Line, talkative};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_across_nodes_over_redis() -> anyhow::Result<()> {
    follow_across(Line::Redis).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_across_nodes_over_the_database() -> anyhow::Result<()> {
    follow_across(Line::Database).await
}

async fn follow_across(line: Line) -> anyhow::Result<()> {
    let cluster = Cluster::start(line).await?;
    let agent = cluster.agent(talkative(12)).await?;
    let (here, there) = (&cluster.customer.api, &cluster.back.asked_by(&cluster.customer.api));
    let mut all = Events::open(here, "/api/realtime/runs").await?;
    let mut of_agent = Events::open(&cluster.tenant.api, &format!("/api/realtime/agents/{agent}/runs")).await?;
    let run = cluster.customer.start(&agent, &json!({})).await?;
    let path = format!("/api/realtime/runs/{run}");

    // Five events on the node that does not carry it out, five on the one that does, the rest on the first again.
    let mut followed = take_up(here, &path, None, 5).await?;
    followed.extend(take_up(there, &path, followed.last(), 5).await?);
    let last = followed.last().context("ten events")?.id.clone();
    followed.extend(Events::open(&here.with("last-event-id", &last), &path).await?.rest().await?);

    let numbers: Vec<u64> = followed.iter().map(Frame::number).collect::<Result<_, _>>()?;
    ensure!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{line:?}: {numbers:?}");
    ensure!(followed == whole(there, &path).await?, "{line:?}: the replay differs");
    ensure!(followed.iter().filter(|frame| frame.data.contains("\"line ")).count() >= 12, "{followed:?}");
    let log = cluster.customer.log(&run).await?;
    ensure!(log.len() == followed.len());

    // The wide streams tell the same events, each once; their places hold on the other node too.
    let wide = all.take(log.len()).await?;
    ensure!(bodies(&wide)? == bodies(&followed)?, "{line:?}: {wide:?}");
    ensure!(wide == of_agent.take(log.len()).await?);
    let middle = wide.len() / 2;
    ensure!(take_up(there, "/api/realtime/runs", wide.get(middle), log.len() - middle - 1).await? == wide[middle + 1..]);

    if line == Line::Redis {
        deltas_cross(&cluster, &agent).await?;
    }
    cluster.end().await
}

/// A stream from behind `seen`, so many events of it.
async fn take_up(api: &Api, path: &str, seen: Option<&Frame>, count: usize) -> anyhow::Result<Vec<Frame>> {
    let api = seen.map_or_else(|| api.clone(), |seen| api.with("last-event-id", &seen.id));
    Events::open(&api, path).await?.take(count).await
}

fn bodies(frames: &[Frame]) -> anyhow::Result<Vec<Value>> {
    frames.iter().map(Frame::json).collect()
}

/// The model's text comes while its turn goes on, on the node that only looks.
async fn deltas_cross(cluster: &Cluster, agent: &str) -> anyhow::Result<()> {
    let run = cluster.customer.start(agent, &json!({})).await?;
    let events = Events::open(&cluster.customer.api, &format!("/api/realtime/runs/{run}?deltas=true")).await?.rest().await?;
    let text: String =
        bodies(&events)?.iter().filter(|body| body.get("event").is_none()).filter_map(|body| body["text"].as_str()).collect();
    ensure!(text == "All of it was said.", "{text:?} in {events:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_node_does_is_seen_without_delay() -> anyhow::Result<()> {
    for line in [Line::Redis, Line::Database] {
        let cluster = Cluster::start(line).await?;
        let agent = cluster.agent(talkative(12)).await?;
        let run = cluster.customer.start(&agent, &json!({})).await?;
        let mut events = Events::open(&cluster.customer.api, &format!("/api/realtime/runs/{run}")).await?;
        let mut gaps = Vec::new();
        let mut before = std::time::Instant::now();
        while let Some(frame) = events.next().await? {
            if frame.data.contains("\"line ") {
                gaps.push(before.elapsed());
            }
            before = std::time::Instant::now();
        }
        gaps.sort_unstable();
        // The model takes 200 ms for each line. A node that was not woken would look every 3 s and see fifteen lines at once.
        let most = gaps.last().copied().context("lines were said")?;
        ensure!(most < Duration::from_secs(2), "{line:?}: {gaps:?}");
        cluster.end().await?;
    }
    Ok(())
}
