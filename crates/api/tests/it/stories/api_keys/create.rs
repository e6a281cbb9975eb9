use domain::{KeyId, Permission, PermissionSet, Role};
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn the_secret_is_shown_once_and_works_at_once() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;

    let created =
        ada.post("/api/api-keys", &json!({"name": "Backend", "scopes": ["runs:read", "end-users:read", "runs:read"]})).await.is(201);

    let secret = created.text_at("/key");
    assert!(secret.starts_with("ask_") && secret.starts_with(&created.text_at("/keyPrefix")));
    assert_eq!(created.at("/scopes"), json!(["runs:read", "end-users:read"]));
    assert_eq!((created.at("/expiresAt"), created.at("/revokedAt"), created.at("/lastUsedAt")), (Value::Null, Value::Null, Value::Null));
    assert_eq!(created.at("/createdBy"), ada.owner.to_string());
    world.anonymous().with_key(&secret).get("/api/end-users").await.is(200);
    let list = ada.get("/api/api-keys").await.is(200);
    assert_eq!(list.at("/data/0/id").as_str().unwrap().parse::<KeyId>().unwrap().to_string(), created.text_at("/id"));
    assert!(!list.text.contains(&secret) && list.at("/data/0/key") == Value::Null);
}

#[tokio::test]
async fn no_scopes_means_the_default_set_without_organization_wide_writes() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let created = ada.post("/api/api-keys", &json!({"name": "Default"})).await.is(201);
    let expected: Vec<_> = PermissionSet::default_for_key(Role::Owner).iter().map(Permission::as_str).collect();
    assert_eq!(created.at("/scopes"), json!(expected));
    assert!(!expected.contains(&"models:write"));
}

#[tokio::test]
async fn unknown_and_ungrantable_scopes_are_refused_each_with_its_place() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let body = json!({"name": "Bad", "scopes": ["runs:read", "runs:fly", "api-keys:create", ""]});
    let reply = ada.post("/api/api-keys", &body).await.invalid_at("/scopes/1").invalid_at("/scopes/2").invalid_at("/scopes/3");
    assert_eq!(reply.at("/errors").as_array().unwrap().len(), 3);
    assert_eq!(reply.at("/errors/0/field"), "scopes[1]");
    let many = vec!["runs:read"; 65];
    ada.post("/api/api-keys", &json!({"name": "Bad", "scopes": many})).await.invalid_at("/scopes");
}

#[tokio::test]
async fn an_expiry_lies_in_the_future() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for bad in ["2026-11-21T12:00:00Z", "2020-01-01T00:00:00Z", "tomorrow", "2026-12-01", ""] {
        ada.post("/api/api-keys", &json!({"name": "Bad", "expiresAt": bad})).await.invalid_at("/expiresAt");
    }
    let good = json!({"name": "Good", "expiresAt": "2026-12-01T01:00:00.123456+01:00"});
    assert_eq!(ada.post("/api/api-keys", &good).await.is(201).at("/expiresAt"), "2026-12-01T00:00:00.123Z");
    ada.post("/api/api-keys", &json!({"name": "Good", "expiresAt": null})).await.is(201);
    let last = ada.post("/api/api-keys", &json!({"name": "Good", "expiresAt": "9999-12-31T23:59:59Z"})).await.is(201);
    // In UTC this is the year 10000, which no RFC 3339 text can name.
    let beyond = "9999-12-31T23:59:59-01:00";
    let refused = ada.post("/api/api-keys", &json!({"name": "Bad", "expiresAt": beyond})).await.invalid_at("/expiresAt");
    assert_eq!(refused.at("/errors/0/code"), "out_of_range");
    let path = format!("/api/api-keys/{}", last.text_at("/id"));
    ada.patch(&path, &json!({"expiresAt": beyond})).await.invalid_at("/expiresAt");
    assert_eq!(ada.get(&path).await.is(200).at("/expiresAt"), "9999-12-31T23:59:59.000Z");
}

#[tokio::test]
async fn a_key_never_exceeds_what_its_creator_may_do_now() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let user = ada.joined(Role::Admin).await;
    let (_, key) = ada.key_of(crate::world::KeyPlan { creator: user, ..ada.plan(&["end-users:write", "end-users:read"]) }).await;
    key.post("/api/end-users", &json!({})).await.is(201);
    let write = world.store.write(&ada.scope, store::WriteContext::internal()).await.unwrap();
    assert!(write.members().set_role(user, Role::Viewer).await.unwrap());
    write.commit().await.unwrap();
    key.post("/api/end-users", &json!({})).await.refused(domain::Code::Forbidden);
    key.get("/api/end-users").await.is(200);
}
