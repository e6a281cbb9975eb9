//! Starting a run: 200 with its id, since 2026-11-21 201 with the whole run.

use serde_json::{Value, json};

use crate::walk::Stage;
use crate::world::World;

const STARTS: [(&str, &str); 2] = [("/api/agents/@own/helper/run", "{}"), ("/api/runs", r#"{"agentId": "@own/helper"}"#)];

#[tokio::test]
async fn the_first_version_gets_the_id_alone() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        for (path, body) in STARTS {
            let body: Value = serde_json::from_str(body).unwrap();
            let started = stage.key.post(path, &body).await.is(200);
            let members: Vec<_> = started.json().as_object().unwrap().keys().cloned().collect();
            assert_eq!((members, started.header("location")), (vec!["runId".to_owned()], None));
            stage.key.get(&format!("/api/runs/{}", started.text_at("/runId"))).await.is(200);
        }
    }
}

#[tokio::test]
async fn the_second_version_gets_the_run_and_its_location_also_on_replay() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let key = stage.key.with("appstrate-version", "2026-11-21");
        for (at, (path, body)) in STARTS.into_iter().enumerate() {
            let body: Value = serde_json::from_str(body).unwrap();
            let caller = key.with("idempotency-key", format!("k{at}"));
            let started = caller.post(path, &body).await.is(201);
            let location = started.header("location").unwrap();
            assert_eq!(location, format!("/api/runs/{}", started.text_at("/id")));
            assert_eq!((started.at("/object"), started.at("/status")), (json!("run"), json!("pending")));
            assert_eq!(started.json(), key.get(location).await.is(200).json());
            let again = caller.post(path, &body).await.is(201);
            assert_eq!((&again.text, again.header("location")), (&started.text, Some(location)));
        }
    }
}

#[tokio::test]
async fn an_answer_is_kept_in_the_version_that_was_spoken() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let caller = stage.key.with("idempotency-key", "k");
        let body = json!({"agentId": "@own/helper"});
        let first = caller.post("/api/runs", &body).await.is(200);
        let again = caller.post("/api/runs", &body).await.is(200);
        assert_eq!((&again.text, again.header("location"), again.header("idempotent-replayed")), (&first.text, None, Some("true")));
        let rows = stage.own.audit().await;
        let row = rows.iter().find(|row| row.request.to_string() == first.header("request-id").unwrap()).unwrap();
        assert_eq!(row.status, Some(200), "the log says what the client was told");
    }
}

#[tokio::test]
async fn an_inline_run_is_accepted_the_same_way_in_both() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let manifest = json!({
        "name": "@own/inline", "version": "1.0.0", "type": "agent", "schemaVersion": "1.3", "displayName": "Inline", "author": "Own", "timeout": 60
    });
    let body = json!({"manifest": manifest, "prompt": "Be brief."});
    for version in ["2026-03-21", "2026-11-21"] {
        let started = stage.own.with("appstrate-version", version).post("/api/runs/inline", &body).await.is(202);
        assert!(started.at("/runId").is_string() && started.header("location").is_none(), "{started}");
    }
}

#[tokio::test]
async fn a_refusal_is_the_same_in_both() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    for version in ["2026-03-21", "2026-11-21"] {
        let caller = stage.key.with("appstrate-version", version);
        caller.post("/api/runs", &json!({"agentId": "@own/absent"})).await.refused(domain::Code::AgentNotFound);
        caller.post("/api/runs", &json!({"agentId": 1})).await.invalid_at("/agentId");
    }
}
