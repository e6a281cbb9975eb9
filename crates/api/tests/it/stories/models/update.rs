use domain::Code;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn members_change_one_by_one_and_null_clears() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let vendor = json!({"label": "Vendor", "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "apiKey": "k-canary"});
    let key = ada.post("/api/provider-keys", &vendor).await.is(201).text_at("/id");
    let foreign = bob.post("/api/provider-keys", &vendor).await.is(201).text_at("/id");
    let body = json!({
        "label": "One", "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "modelId": "m-1",
        "cost": {"input": 1, "output": 2}
    });
    let created = ada.post("/api/models", &body).await.is(201);
    let path = created.header("location").unwrap().to_owned();
    assert_eq!(ada.get(&path).await.is(200).json(), created.json());

    let change = json!({"label": "Two", "providerKeyId": key, "input": ["text", "image"], "maxTokens": 2048, "reasoning": true});
    let changed = ada.patch(&path, &change).await.is(200);
    let mut expected = created.json();
    for (member, value) in change.as_object().unwrap() {
        expected[member] = value.clone();
    }
    assert_eq!(changed.json(), expected);
    let row = ada.audit().await.remove(0);
    let fields = json!(["label", "providerKeyId", "maxTokens", "reasoning", "input"]);
    assert_eq!(row.detail, json!({"fields": fields, "providerKeyId": key}));
    let moved = json!({"baseUrl": "https://api.example.com/v2"});
    ada.patch(&path, &moved).await.is(200);
    assert_eq!(ada.audit().await.remove(0).detail, json!({"fields": ["baseUrl"], "baseUrl": "https://api.example.com/v2"}));
    let cleared = ada.patch(&path, &json!({"providerKeyId": null, "cost": null, "enabled": false})).await.is(200);
    assert_eq!((cleared.at("/providerKeyId"), cleared.at("/cost"), cleared.at("/enabled")), (json!(null), json!(null), json!(false)));
    assert_eq!(cleared.at("/isDefault"), true);

    for (member, value) in [
        ("label", json!("")),
        ("api", json!("telepathy")),
        ("baseUrl", json!("https://u:p@example.com")),
        ("modelId", json!("x".repeat(201))),
        ("contextWindow", json!(1)),
        ("maxTokens", json!(0)),
        ("label", json!(null)),
        ("enabled", json!(null)),
    ] {
        ada.patch(&path, &json!({member: value})).await.invalid_at(&format!("/{member}"));
    }
    ada.patch(&path, &json!({"input": ["sound"]})).await.invalid_at("/input/0");
    ada.patch(&path, &json!({"cost": {"input": -1, "output": 0}})).await.invalid_at("/cost/input");
    let hidden = ada.patch(&path, &json!({"providerKeyId": foreign})).await.invalid_at("/providerKeyId");
    let absent = ada.patch(&path, &json!({"providerKeyId": "pk_01jd9xq3e8f2t8v0k3m5n7p9r1"})).await.invalid_at("/providerKeyId");
    assert_eq!(hidden.stable(&[]), absent.stable(&[]));
    bob.patch(&path, &json!({"label": "Mine"})).await.refused(Code::NotFound);
    assert_eq!(ada.get(&path).await.is(200).json(), cleared.json(), "what was refused has changed nothing");
}
