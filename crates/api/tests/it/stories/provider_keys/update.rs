use domain::{Code, ProviderKeyId};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_new_secret_is_sealed_anew_and_never_shown() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let body = json!({"label": "One", "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "apiKey": "old-canary"});
    let created = ada.post("/api/provider-keys", &body).await.is(201);
    let id: ProviderKeyId = created.text_at("/id").parse().unwrap();
    let path = created.header("location").unwrap().to_owned();
    assert_eq!(ada.get(&path).await.is(200).json(), created.json());
    let sealed = async || world.store.read(&ada.scope).await.unwrap().provider_keys().sealed(id).await.unwrap().unwrap();
    let before = sealed().await;

    let renamed = ada.patch(&path, &json!({"label": "Two"})).await.is(200);
    assert_eq!((renamed.text_at("/label"), sealed().await), ("Two".to_owned(), before.clone()));
    let rotated = ada.patch(&path, &json!({"apiKey": "new-canary"})).await.is(200);
    assert!(!rotated.text.contains("canary"), "{rotated}");
    assert_ne!(sealed().await, before);
    let rows = ada.audit().await;
    assert_eq!(rows[0].detail, json!({"fields": [], "secretReplaced": true}));
    assert_eq!(rows[1].detail, json!({"fields": ["label"], "secretReplaced": false}));
    ada.patch(&path, &json!({"baseUrl": "https://api.example.com/v2"})).await.is(200);
    let moved = json!({"fields": ["baseUrl"], "secretReplaced": false, "baseUrl": "https://api.example.com/v2"});
    assert_eq!(ada.audit().await.remove(0).detail, moved);

    ada.patch(&path, &json!({"apiKey": "two\nlines"})).await.invalid_at("/apiKey");
    ada.patch(&path, &json!({"apiKey": ""})).await.invalid_at("/apiKey");
    ada.patch(&path, &json!({"api": "telepathy"})).await.invalid_at("/api");
    bob.patch(&path, &json!({"label": "Mine"})).await.refused(Code::NotFound);
    assert_eq!(ada.get(&path).await.is(200).text_at("/label"), "Two");
}
