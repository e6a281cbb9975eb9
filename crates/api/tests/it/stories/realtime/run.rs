//! The stream of a run: history, then its end; and who may follow it.

use axum::http::Method;
use domain::Code;

use crate::walk::{Kind, Stage, Target};
use crate::world::World;

#[tokio::test]
async fn a_run_that_has_ended_is_told_from_the_beginning_and_the_stream_ends() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let grace = stage.key.as_user(stage.grace);
        let run = Kind::Run.make(&stage, Target::Own).await.id;
        grace.send(Method::POST, &format!("/api/runs/{run}/cancel"), None).await.is(200);
        let path = format!("/api/realtime/runs/{run}");

        let stream = grace.get(&path).await.is(200);

        assert!(stream.header("content-type").unwrap().starts_with("text/event-stream"));
        let numbers: Vec<&str> = stream.text.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
        assert_eq!(numbers, ["1", "2"], "{stream}");
        assert_eq!(stream.text.matches("event: run_update").count(), 2, "{stream}");
        assert_eq!(stream.text.matches("retry: ").count(), 1, "{stream}");
        let resumed = grace.with("last-event-id", "1").get(&path).await.is(200);
        assert!(!resumed.text.contains("id: 1\n") && resumed.text.contains("id: 2\n"), "{resumed}");
        let logs = grace.get(&format!("/api/runs/{run}/logs")).await.is(200);
        assert_eq!(logs.at("/pagination/total"), 2, "{logs}");
    }
}

#[tokio::test]
async fn credentials_may_stand_in_the_query_of_a_stream_and_nowhere_else() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let run = Kind::Run.make(&stage, Target::Own).await.id;
    stage.key.as_user(stage.grace).send(Method::POST, &format!("/api/runs/{run}/cancel"), None).await.is(200);
    let created = stage.own.post("/api/api-keys", &serde_json::json!({"name": "Stream", "scopes": ["runs:read"]})).await.is(201);
    let secret = created.text_at("/key");
    let path = format!("/api/realtime/runs/{run}");
    let anonymous = world.anonymous();

    anonymous.get(&format!("{path}?token={secret}&endUser={}", stage.grace)).await.is(200);
    anonymous.get(&format!("{path}?token={secret}&endUser={}", stage.alan)).await.refused(Code::NotFound);
    anonymous.get(&format!("{path}?token={secret}&endUser={}", stage.deleted)).await.refused(Code::InvalidEndUser);
    anonymous.get(&format!("{path}?token={secret}&token={secret}")).await.refused(Code::InvalidRequest);
    anonymous.get(&format!("{path}?token=ask_wrong")).await.refused(Code::Unauthorized);
    anonymous.get(&format!("/api/runs/{run}?token={secret}")).await.refused(Code::Unauthorized);
    stage.own.without("x-org-id").without("x-app-id").get(&format!("{path}?orgId={}&appId={}", stage.own.org, stage.own.app)).await.is(200);
    stage.key.get(&format!("{path}?deltas=maybe")).await.invalid_at("/deltas");
}
