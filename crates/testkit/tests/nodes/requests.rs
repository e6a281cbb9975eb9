//! Limits and idempotency keys are those of the tenant, not of a node.

use anyhow::ensure;
use futures::future::{join_all, try_join_all};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::client::Api;

use crate::cluster::{Cluster, Line};

/// The tenant's key, asking both nodes by turns.
fn by_turns(cluster: &Cluster, count: usize) -> Vec<Api> {
    let key = &cluster.tenant.api;
    [key.clone(), cluster.back.asked_by(key)].into_iter().cycle().take(count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_one_over_all_nodes() -> anyhow::Result<()> {
    // An hour, so that no window ends within the story.
    let limits = r#"{"read": {"limit": 30, "window": 3600}, "auth": {"limit": 1000}, "create": {"limit": 1000}, "write": {"limit": 1000}}"#;
    // Patient, so that a busy machine is no lost Redis.
    let cluster = Cluster::start_with(Line::Redis, &[("RATE_LIMITS", limits), ("REDIS_TIMEOUT_MS", "10000")]).await?;
    let path = "/api/models";
    let asked = by_turns(&cluster, 100);
    let answers = try_join_all(asked.iter().map(|api| api.call(Method::GET, path, None))).await?;
    let of = |status: u16| answers.iter().filter(|(found, _)| *found == status).count();
    ensure!((of(200), of(429)) == (30, 70), "{} allowed, {} refused", of(200), of(429));
    for api in by_turns(&cluster, 2) {
        let refused = api.request(Method::GET, path).send().await?;
        let header = |name: &str| refused.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        ensure!(header("ratelimit").contains("remaining=0"), "{:?}", refused.headers());
        ensure!(header("retry-after").parse::<u32>()? > 3_000, "{:?}", refused.headers());
    }
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_has_one_effect_over_all_nodes() -> anyhow::Result<()> {
    let cluster = Cluster::start(Line::Redis).await?;
    let body = json!({ "externalId": "once", "name": "Once" });
    let create = async |api: &Api| api.with("idempotency-key", "once").call(Method::POST, "/api/end-users", Some(&body)).await;
    let asked = by_turns(&cluster, 40);
    let mut created = Vec::new();
    for answer in join_all(asked.iter().map(create)).await {
        match answer? {
            (201, end_user) => created.push(end_user),
            (status, problem) => ensure!((status, &problem["code"]) == (409, &json!("idempotency_in_progress")), "{status} {problem}"),
        }
    }
    ensure!(!created.is_empty() && created.iter().all(|end_user| *end_user == created[0]), "{created:?}");
    // Later the first answer comes again, whichever node gave it.
    for api in &asked[..2] {
        let (status, replayed) = create(api).await?;
        ensure!((status, &replayed) == (201, &created[0]), "{status} {replayed}");
    }
    let listed = cluster.back.asked_by(&cluster.tenant.api).get("/api/end-users?externalId=once").await?;
    ensure!(listed["data"].as_array().map(Vec::len) == Some(1), "{listed}");
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_is_told_and_found_again() -> anyhow::Result<()> {
    let cluster = Cluster::start(Line::Redis).await?;
    let agent = cluster.agent(Vec::new()).await?;
    let kept = cluster.customer.start(&agent, &json!({})).await?;
    cluster.customer.ended(&kept).await?;

    cluster.lose_database().await?;
    for api in by_turns(&cluster, 4) {
        for (method, path, body) in
            [(Method::GET, "/api/runs", None), (Method::POST, "/api/end-users", Some(json!({ "externalId": "never" })))]
        {
            let (status, problem) = api.call(method, path, body.as_ref()).await?;
            ensure!(
                (status, &problem["code"]) == (503, &json!("service_unavailable")),
                "{path}: {status} {problem}\n{}",
                cluster.back.log()?
            );
            ensure!(!problem.to_string().contains("sqlx") && !problem.to_string().contains("appstrate_nodes"), "{problem}");
        }
    }

    cluster.find_database().await?;
    found_again(&cluster).await?;
    for api in by_turns(&cluster, 2) {
        let runs: Value = api.get("/api/runs").await?;
        ensure!(runs["data"][0]["id"] == kept, "{runs}");
        let never = api.get("/api/end-users?externalId=never").await?;
        ensure!(never["data"] == json!([]), "a refused request left nothing: {never}");
    }
    // The worker and the streams are back too.
    let run = cluster.customer.start(&agent, &json!({})).await?;
    let ended = cluster.customer.ended(&run).await?;
    ensure!(ended["status"] == "success", "{ended}");
    cluster.end().await
}

/// A dead connection costs the request that finds it a 503, and no more: they are used up here.
async fn found_again(cluster: &Cluster) -> anyhow::Result<()> {
    for _ in 0..100 {
        let asked = by_turns(cluster, 40);
        let answers = try_join_all(asked.iter().map(|api| api.call(Method::GET, "/api/runs", None))).await?;
        if answers.iter().all(|(status, _)| *status == 200) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    anyhow::bail!("the nodes did not find the database again")
}
