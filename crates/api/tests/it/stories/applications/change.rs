use domain::{Code, Role};
use serde_json::json;

use crate::walk::{Kind, Stage, Target};
use crate::world::{KeyPlan, World};

#[tokio::test]
async fn members_make_applications_and_keys_do_not() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let body = json!({"name": "Production", "settings": {"allowedRedirectDomains": ["App.Example.com"]}});
    let created = ada.member(Role::Member).await.post("/api/applications", &body).await.is(201);
    assert_eq!(
        (created.at("/isDefault"), created.text_at("/settings/allowedRedirectDomains/0")),
        (json!(false), "app.example.com".to_owned())
    );
    ada.get(created.header("location").unwrap()).await.is(200);
    ada.member(Role::Viewer).await.post("/api/applications", &body).await.refused(Code::Forbidden);
    ada.full_key().await.post("/api/applications", &body).await.refused(Code::Forbidden);
    for (body, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": "x", "description": "y"}), "/description"),
        (json!({"name": "x", "settings": {"theme": "dark"}}), "/settings/theme"),
        (
            json!({"name": "x", "settings": {"allowedRedirectDomains": ["ok.example", "https://no.example"]}}),
            "/settings/allowedRedirectDomains/1",
        ),
        (json!({"name": "x", "settings": {"allowedRedirectDomains": vec!["a.example"; 21]}}), "/settings/allowedRedirectDomains"),
    ] {
        ada.post("/api/applications", &body).await.invalid_at(pointer);
    }
}

#[tokio::test]
async fn an_application_changes_in_part() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let path = format!("/api/applications/{}", ada.app);
    let settings = json!({"allowedRedirectDomains": ["app.example.com"]});
    ada.patch(&path, &json!({"settings": settings})).await.is(200);
    let renamed = ada.patch(&path, &json!({"name": "Production v2"})).await.is(200);
    assert_eq!((renamed.text_at("/name"), renamed.at("/settings")), ("Production v2".to_owned(), settings));
    assert_eq!(ada.patch(&path, &json!({"settings": {}})).await.is(200).at("/settings"), json!({}));
    // A key changes its own application and finds no other.
    let key = ada.key(&["applications:write"]).await;
    key.patch(&path, &json!({"name": "By key"})).await.is(200);
    let staging = ada.application("Staging").await;
    key.patch(&format!("/api/applications/{staging}"), &json!({"name": "Mine"})).await.refused(Code::NotFound);
    bob.patch(&path, &json!({"name": "Mine"})).await.refused(Code::NotFound);
}

#[tokio::test]
async fn an_application_goes_with_everything_in_it_but_the_default_stays() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        ada.delete(&format!("/api/applications/{}", ada.app)).await.refused(Code::DefaultApplication);
        let staging = ada.application("Staging").await;
        let (_, key) = ada.key_of(KeyPlan { app: staging, ..ada.plan(&["end-users:read"]) }).await;
        ada.end_user_of(staging, "Grace").await;
        key.get("/api/end-users").await.is(200);
        let path = format!("/api/applications/{staging}");
        ada.member(Role::Member).await.delete(&path).await.refused(Code::Forbidden);
        ada.delete(&path).await.is(204);
        ada.delete(&path).await.refused(Code::NotFound);
        key.get("/api/end-users").await.refused(Code::Unauthorized);
        ada.get("/api/end-users").await.is(200);
    }
}

#[tokio::test]
async fn an_application_with_a_run_under_way_stays() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let run = Kind::Run.make(&stage, Target::SiblingApplication).await.id;
        let path = format!("/api/applications/{}", stage.sibling_app);
        stage.own.delete(&path).await.refused(Code::RunInProgress);
        stage.sibling_key.send(axum::http::Method::POST, &format!("/api/runs/{run}/cancel"), None).await.is(200);
        stage.own.delete(&path).await.is(204);
    }
}
