//! Which model a run gets: request → installation → organization → none.

use domain::Code;
use serde_json::{Value, json};

use crate::walk::Stage;
use crate::world::World;

#[tokio::test]
async fn the_nearest_choice_wins_and_without_one_a_run_is_refused() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let (ada, key) = (&stage.own, &stage.key);
    let model = async |name: &str| {
        let body = json!({"label": name, "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "modelId": name});
        ada.post("/api/models", &body).await.is(201).text_at("/id")
    };
    let started = async |body: Value| {
        let run = key.post("/api/runs", &body).await.is(200).text_at("/runId");
        key.get(&format!("/api/runs/{run}")).await.is(200).text_at("/modelLabel")
    };
    let (requested, installed) = (model("requested").await, model("installed").await);
    let package = format!("/api/applications/{}/packages/@own/helper", ada.app);
    let plain = json!({"agentId": "@own/helper"});

    assert_eq!(started(plain.clone()).await, "own", "the organization's first is its default");
    ada.put(&package, &json!({"modelId": installed})).await.is(200);
    assert_eq!(started(plain.clone()).await, "installed");
    assert_eq!(started(json!({"agentId": "@own/helper", "modelId": requested})).await, "requested");

    // What an application names and is gone is never replaced by another price without a word.
    ada.patch(&format!("/api/models/{installed}"), &json!({"enabled": false})).await.is(200);
    let refused = key.post("/api/runs", &plain).await.refused(Code::RunNotReady);
    assert_eq!(refused.at("/errors/0/code"), json!("model_disabled"));
    ada.put(&package, &json!({"modelId": null})).await.is(200);
    ada.put("/api/models/default", &json!({"modelId": null})).await.is(200);
    let refused = key.post("/api/runs", &plain).await.refused(Code::RunNotReady);
    assert_eq!(refused.at("/errors/0/code"), json!("model_not_configured"));
    assert_eq!(started(json!({"agentId": "@own/helper", "modelId": requested})).await, "requested");
}
