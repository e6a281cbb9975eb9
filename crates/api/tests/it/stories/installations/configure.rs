use domain::Code;
use serde_json::json;

use crate::walk::{Stage, agent};
use crate::world::World;

#[tokio::test]
async fn model_and_proxy_are_overridden_and_foreign_ids_read_like_ids_of_nothing() {
    let built_in = r#"[{"id": "eu-exit", "label": "Europe", "url": "http://eu.example.com"}]"#;
    let world = World::with_outbound("", built_in, "https://example.com/").await;
    let stage = Stage::set(&world).await;
    let ada = &stage.own;
    let path = format!("/api/applications/{}/packages/@own/helper", ada.app);
    let exit = json!({"label": "Exit", "url": "http://proxy.example.com"});
    let (own, foreign) = (
        ada.post("/api/proxies", &exit).await.is(201).text_at("/id"),
        stage.foreign.post("/api/proxies", &exit).await.is(201).text_at("/id"),
    );
    let (model, other_model) =
        (ada.get("/api/models").await.is(200).text_at("/data/0/id"), stage.foreign.get("/api/models").await.is(200).text_at("/data/0/id"));
    let before = ada.get(&path).await.is(200);
    assert_eq!((before.at("/modelId"), before.at("/proxyId")), (json!(null), json!(null)));
    for choice in [json!(own), json!("eu-exit"), json!("none")] {
        let changed = ada.put(&path, &json!({"modelId": model, "proxyId": choice})).await.is(200);
        assert_eq!((changed.at("/modelId"), changed.at("/proxyId")), (json!(model), choice));
        assert_eq!(ada.get(&path).await.is(200).json(), changed.json());
    }
    let kept = ada.put(&path, &json!({"enabled": true})).await.is(200);
    assert_eq!((kept.at("/modelId"), kept.at("/proxyId")), (json!(model), json!("none")), "missing members stay");

    let put = async |body: serde_json::Value, pointer: &str| ada.put(&path, &body).await.invalid_at(pointer).stable(&[]);
    let hidden = put(json!({"proxyId": foreign}), "/proxyId").await;
    assert_eq!(put(json!({"proxyId": "prx_01jd9xq3e8f2t8v0k3m5n7p9r1"}), "/proxyId").await, hidden);
    assert_eq!(put(json!({"proxyId": "no-exit"}), "/proxyId").await, hidden);
    let hidden = put(json!({"modelId": other_model}), "/modelId").await;
    assert_eq!(put(json!({"modelId": "mod_01jd9xq3e8f2t8v0k3m5n7p9r1"}), "/modelId").await, hidden);
    put(json!({"proxyId": "not an id"}), "/proxyId").await;
    for member in ["config", "enabled"] {
        put(json!({member: null}), &format!("/{member}")).await;
    }
    put(json!({"config": [1]}), "/config").await;
    let after = ada.get(&path).await.is(200);
    assert_eq!(after.json(), kept.json(), "what was refused has changed nothing");
    let rows = ada.audit().await;
    assert_eq!((rows[0].subject.as_deref(), &rows[0].detail), (Some("@own/helper"), &json!({"enabled": true})));
    assert_eq!(rows[1].detail, json!({"modelId": model, "proxyId": "none"}));
    let cleared = ada.put(&path, &json!({"modelId": null, "proxyId": null})).await.is(200);
    assert_eq!((cleared.at("/modelId"), cleared.at("/proxyId")), (json!(null), json!(null)));
    stage.foreign.put(&path, &json!({"proxyId": null})).await.refused(Code::NotFound);
    // What is not installed is told before what the body names and is not there.
    let nothing = format!("/api/applications/{}/packages/@nobody/nothing", ada.app);
    for body in [json!({"version": "1.0.0"}), json!({"modelId": other_model}), json!({"proxyId": "no-exit"}), json!({})] {
        ada.put(&nothing, &body).await.refused(Code::PackageNotInstalled);
    }
}

#[tokio::test]
async fn a_configuration_is_checked_against_the_agents_schema() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let ada = &stage.own;
    let mut manifest = agent("@own/strict");
    manifest["config"] = json!({"schema": {
        "type": "object", "required": ["limit"], "additionalProperties": false,
        "properties": {"limit": {"type": "integer", "maximum": 10}, "tags": {"type": "array", "items": {"type": "string"}}}
    }});
    ada.post("/api/packages/agents", &json!({"manifest": manifest, "content": "Be brief."})).await.is(201);
    let packages = format!("/api/applications/{}/packages", ada.app);
    ada.post(&packages, &json!({"packageId": "@own/strict", "config": {"limit": "many"}})).await.invalid_at("/config/limit");
    ada.post(&packages, &json!({"packageId": "@own/strict", "config": {"limit": 1}})).await.is(201);
    let path = format!("{packages}/@own/strict");
    ada.put(&path, &json!({"config": {"limit": 11}})).await.invalid_at("/config/limit");
    ada.put(&path, &json!({"config": {"limit": 1, "tags": ["a", 2]}})).await.invalid_at("/config/tags/1");
    ada.put(&path, &json!({"config": {}})).await.invalid_at("/config");
    ada.put(&path, &json!({"config": {"limit": 1, "colour": "red"}})).await.invalid_at("/config");
    assert_eq!(ada.get(&path).await.is(200).at("/config"), json!({"limit": 1}), "what was refused has changed nothing");
    assert_eq!(ada.put(&path, &json!({"config": {"limit": 2}})).await.is(200).at("/config"), json!({"limit": 2}));
}
