//! Runs that are stopped from another node, and runs whose node is gone.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;
use testkit::events::{Events, Frame};

use crate::cluster::{Cluster, Line, endless};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_cancelled_on_a_node_that_does_not_carry_it_out() -> anyhow::Result<()> {
    for line in [Line::Redis, Line::Database] {
        let cluster = Cluster::start(line).await?;
        let agent = cluster.agent(endless()).await?;
        let run = cluster.customer.start(&agent, &json!({})).await?;
        cluster.reached(&run, "log").await?;
        let mut events = Events::open(&cluster.customer.api, &format!("/api/realtime/runs/{run}")).await?;
        let begin = Instant::now();
        cluster.customer.api.post(&format!("/api/runs/{run}/cancel"), &json!({})).await?;
        let end = events.rest().await?.pop().map(|frame| frame.data).unwrap_or_default();
        ensure!(end.contains("\"cancelled\"") && end.contains("run.ended"), "{line:?}: {end}");
        ensure!(begin.elapsed() < Duration::from_secs(10), "{line:?}: {:?}", begin.elapsed());
        let ended = cluster.customer.ended(&run).await?;
        ensure!(ended["status"] == "cancelled" && ended["errorCode"] == "cancelled", "{ended}");
        cluster.end().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runs_of_a_node_that_died_are_finished_by_another() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(Line::Redis).await?;
    let agent = cluster.agent(endless()).await?;
    let run = cluster.customer.start(&agent, &json!({})).await?;
    cluster.reached(&run, "log").await?;
    let mut heir = cluster.front.another_node(&[("ROLE", "all")]).await?;
    let mut events = Events::open(&cluster.customer.api, &format!("/api/realtime/runs/{run}")).await?;
    cluster.back.kill().await?;
    let waiting = cluster.customer.start(&agent, &json!({})).await?;
    cluster.reached(&waiting, "log").await?;

    // A lease of 30 s, and a look for those that are over every 30 s.
    let begin = Instant::now();
    let mut frames = Vec::new();
    loop {
        match events.next().await {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => break,
            Err(error) => ensure!(begin.elapsed() < Duration::from_secs(90), "{error}"),
        }
    }
    let numbers: Vec<u64> = frames.iter().map(Frame::number).collect::<Result<_, _>>()?;
    ensure!(numbers.iter().copied().eq(1..=numbers.len() as u64), "one end, and nothing twice: {numbers:?}");
    let ended = cluster.customer.ended(&run).await?;
    ensure!(ended["status"] == "failed" && ended["errorCode"] == "server_restarted", "{ended}");
    ensure!(ended["costNanoUsd"].as_u64().unwrap_or_default() > 0, "the turn before is paid: {ended}");

    cluster.customer.api.post(&format!("/api/runs/{waiting}/cancel"), &json!({})).await?;
    let ended = cluster.customer.ended(&waiting).await?;
    ensure!(ended["status"] == "cancelled", "{ended}");
    heir.stop().await?;
    cluster.end_without_back().await
}
