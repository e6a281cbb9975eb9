//! What the server counts about itself, for its operator and nobody else.

use domain::Code;
use serde_json::json;

use crate::walk::Stage;
use crate::world::{METRICS_TOKEN, World};

impl World {
    /// The value of a series; 0 before it was ever counted.
    pub(crate) async fn metric(&self, series: &str) -> u64 {
        let page = self.metrics().await;
        let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0)
    }

    async fn metrics(&self) -> String {
        let operator = self.anonymous().with("authorization", format!("Bearer {METRICS_TOKEN}"));
        let reply = operator.get("/metrics").await.is(200);
        assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        reply.text
    }
}

#[tokio::test]
async fn only_the_operator_s_token_opens_them() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let wrong = ["Bearer", "Bearer ", "Bearer the operator's toke", "bearer the operator's token", "Basic YTpi"];
    for caller in wrong.map(|wrong| world.anonymous().with("authorization", wrong)).into_iter().chain([world.anonymous(), (*ada).clone()]) {
        caller.get("/metrics").await.refused(Code::Unauthorized);
    }
    ada.full_key().await.get("/metrics").await.refused(Code::Unauthorized);
    let off = world.again(|options| options.metrics_token = None).await;
    let operator = world.anonymous().with("authorization", format!("Bearer {METRICS_TOKEN}"));
    operator.on(&off).get("/metrics").await.refused(Code::NotFound);
}

#[tokio::test]
async fn they_tell_how_the_server_does() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let count = |route: &str, status: &str| {
            format!("appstrate_http_request_duration_seconds_count{{route=\"{route}\",method=\"GET\",status=\"{status}\"}}")
        };
        for path in ["/api/runs/run_1", "/api/runs/run_2"] {
            stage.key.get(path).await.refused(Code::NotFound);
        }
        stage.key.get("/api/runs").await.is(200);
        world.anonymous().get("/api/no/such/route").await.refused(Code::NotFound);
        assert_eq!(world.metric(&count("/api/runs/{id}", "4xx")).await, 2);
        assert_eq!(world.metric(&count("/api/runs", "2xx")).await, 1);
        assert_eq!(world.metric(&count("unknown", "4xx")).await, 1);

        assert_eq!(world.metric("appstrate_database_up").await, 1);
        let active = world.metric("appstrate_runs_active").await;
        stage.key.post("/api/runs", &json!({"agentId": "@own/helper"})).await.is(200);
        assert_eq!(world.metric("appstrate_runs_active").await, active + 1);
        assert!(world.metric("appstrate_audit_unsealed_rows").await > 0);
        world.seal().await;
        assert_eq!(world.metric("appstrate_audit_unsealed_rows").await, 0);

        let stream = stage.key.open("/api/realtime/runs").await;
        assert_eq!(world.metric("appstrate_streams_open").await, 1);
        drop(stream);
        assert_eq!(world.metric("appstrate_streams_open").await, 0);
    }
}

#[tokio::test]
async fn a_lost_database_is_a_number_and_no_failure() {
    let world = World::start().await;
    world.store.close().await.unwrap();
    assert_eq!(world.metric("appstrate_database_up").await, 0);
    assert!(!world.metrics().await.contains("appstrate_runs_active"));
}
