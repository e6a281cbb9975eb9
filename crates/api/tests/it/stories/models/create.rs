use serde_json::{Value, json};

use crate::world::World;

fn model(more: &Value) -> Value {
    let mut body = json!({"label": "M", "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "modelId": "m"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn inputs_are_at_most_two_and_a_long_list_is_told_once() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    ada.post("/api/models", &model(&json!({"input": ["text", "image"]}))).await.is(201);
    for input in [vec!["text"; 3], vec!["sound"; 10_000]] {
        let refused = ada.post("/api/models", &model(&json!({"input": input}))).await.invalid_at("/input");
        assert_eq!(refused.at("/errors").as_array().unwrap().len(), 1, "{}", refused.status);
    }
    ada.post("/api/models", &model(&json!({"input": ["text", "sound"]}))).await.invalid_at("/input/1");
}

#[tokio::test]
async fn the_log_says_where_a_models_key_goes() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let vendor = json!({"label": "V", "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "apiKey": "k-canary"});
    let key = ada.post("/api/provider-keys", &vendor).await.is(201).text_at("/id");
    let row = ada.audit().await.remove(0);
    assert_eq!(row.subject.as_deref(), Some(key.as_str()));
    assert_eq!(row.detail, json!({"label": "V", "api": "openai-completions", "baseUrl": "https://api.example.com/v1"}));
    let id = ada.post("/api/models", &model(&json!({"providerKeyId": key}))).await.is(201).text_at("/id");
    let row = ada.audit().await.remove(0);
    assert_eq!(row.subject.as_deref(), Some(id.as_str()));
    let base_url = "https://api.example.com/v1";
    assert_eq!(row.detail, json!({"label": "M", "baseUrl": base_url, "modelId": "m", "providerKeyId": key, "isDefault": true}));
    assert!(!format!("{:?}", ada.audit().await).contains("canary"));
}
