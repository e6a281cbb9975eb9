//! What one node grants or takes away holds on the other at once.

use anyhow::ensure;
use reqwest::Method;
use serde_json::json;
use testkit::events::{Events, open};

use crate::cluster::{Cluster, Line};

const RUNS: &str = "/api/runs";

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_on_one_node_is_refused_on_the_other_at_once() -> anyhow::Result<()> {
    let cluster = Cluster::start(Line::Redis).await?;
    let session = &cluster.tenant.session;
    for (revoking, refusing) in
        [(session.clone(), cluster.back.asked_by(&cluster.front.anonymous())), (cluster.back.asked_by(session), cluster.front.anonymous())]
    {
        let created = revoking.post("/api/api-keys", &json!({ "name": "short" })).await?;
        let bearer = format!("Bearer {}", created["key"].as_str().unwrap_or_default());
        let key = refusing.with("authorization", &bearer);
        // Whatever could be remembered of the key is remembered now.
        for _ in 0..3 {
            key.get(RUNS).await?;
        }
        revoking.delete(&format!("/api/api-keys/{}", created["id"].as_str().unwrap_or_default())).await?;
        let (status, problem) = key.call(Method::GET, RUNS, None).await?;
        ensure!((status, &problem["code"]) == (401, &json!("unauthorized")), "{status} {problem}");
    }
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_one_on_all_nodes_from_its_beginning_to_its_end() -> anyhow::Result<()> {
    let cluster = Cluster::start(Line::Redis).await?;
    let here = &cluster.tenant.session;
    let there = cluster.back.asked_by(here);
    there.get(RUNS).await?;
    let session = there.get("/api/auth/get-session").await?;
    ensure!(session == here.get("/api/auth/get-session").await?);
    there.post("/api/auth/sign-out", &json!({})).await?;
    for api in [here, &there] {
        let (status, problem) = api.call(Method::GET, RUNS, None).await?;
        ensure!(status == 401, "{status} {problem}");
    }
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_of_one_node_opens_one_stream_on_any() -> anyhow::Result<()> {
    let cluster = Cluster::start(Line::Database).await?;
    let agent = cluster.agent(Vec::new()).await?;
    let run = cluster.customer.start(&agent, &json!({})).await?;
    let made = cluster.customer.api.post("/api/realtime/tickets", &json!({})).await?;
    let path = format!("/api/realtime/runs?ticket={}", made["ticket"].as_str().unwrap_or_default());
    let there = cluster.back.asked_by(&cluster.front.anonymous());
    let first = Events::open(&there, &path).await?.take(1).await?;
    ensure!(first[0].json()?["id"] == run, "{first:?}");
    for api in [&there, &cluster.front.anonymous()] {
        let refused = open(api, &path).await.err().map(|error| error.to_string()).unwrap_or_default();
        ensure!(refused.contains("answered 401"), "{refused}");
    }
    cluster.end().await
}
