use std::time::Duration;

use domain::{Code, Role};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_key_is_narrowed_renamed_and_ended_but_never_widened() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let (id, key) = ada.key_of(ada.plan(&["runs:read", "end-users:read"])).await;
    let path = format!("/api/api-keys/{id}");
    assert_eq!(ada.get(&path).await.is(200).at("/scopes"), json!(["runs:read", "end-users:read"]));
    let changed = ada.patch(&path, &json!({"name": "CI", "scopes": ["runs:read"]})).await.is(200);
    assert_eq!((changed.text_at("/name"), changed.at("/scopes")), ("CI".to_owned(), json!(["runs:read"])));
    key.get("/api/runs").await.is(200);
    key.get("/api/end-users").await.refused(Code::Forbidden);
    ada.patch(&path, &json!({"scopes": ["runs:read", "end-users:read"]})).await.invalid_at("/scopes/1");
    ada.patch(&path, &json!({"scopes": []})).await.invalid_at("/scopes");
    ada.patch(&path, &json!({"expiresAt": "2001-01-01T00:00:00Z"})).await.invalid_at("/expiresAt");
    ada.patch(&path, &json!({"key": "ask_mine"})).await.invalid_at("/key");
    bob.get(&path).await.refused(Code::NotFound);
    bob.patch(&path, &json!({"name": "Mine"})).await.refused(Code::NotFound);
    key.get(&path).await.refused(Code::Forbidden);

    let soon = world.store.clock().now() + Duration::from_mins(1);
    ada.patch(&path, &json!({"expiresAt": soon.to_rfc3339()})).await.is(200);
    world.clock.advance(Duration::from_secs(61));
    key.get("/api/runs").await.refused(Code::Unauthorized);
    ada.patch(&path, &json!({"expiresAt": null})).await.refused(Code::KeyEnded);
}

#[tokio::test]
async fn available_scopes_are_those_that_a_creation_accepts() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let available = ada.member(Role::Admin).await.get("/api/api-keys/available-scopes").await.is(200);
    let created = ada.post("/api/api-keys", &json!({"name": "All", "scopes": available.at("/scopes")})).await.is(201);
    assert_eq!(created.at("/scopes"), available.at("/scopes"));
    let plain = ada.post("/api/api-keys", &json!({"name": "Plain"})).await.is(201);
    assert_eq!(plain.at("/scopes"), available.at("/defaultScopes"));
    assert!(!available.text.contains("members:") && !available.text.contains("api-keys:"), "{available}");
}
