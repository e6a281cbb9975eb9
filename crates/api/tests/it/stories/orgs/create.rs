use domain::{Code, OrgId};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_creator_owns_it_and_finds_a_default_application() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;

    let created = ada.post("/api/orgs", &json!({"name": "Acme Robotics!"})).await.is(201);

    assert_eq!((created.text_at("/slug").as_str(), created.text_at("/role").as_str()), ("acme-robotics", "owner"));
    assert_eq!(created.at("/apiVersion"), "2026-03-21");
    let id: OrgId = created.text_at("/id").parse().unwrap();
    assert_eq!(created.header("location"), Some(format!("/api/orgs/{id}").as_str()));
    let inside = ada.instead("x-org-id", id.to_string()).without("x-app-id");
    assert_eq!(inside.get(&format!("/api/orgs/{id}")).await.is(200).json(), created.json());
    let applications = inside.get("/api/applications").await.is(200);
    assert_eq!(applications.at("/pagination/total"), 1);
    assert_eq!(applications.at("/data/0/isDefault"), true);
}

#[tokio::test]
async fn a_slug_is_taken_once_on_the_platform() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let reply = bob.post("/api/orgs", &json!({"name": "Mine", "slug": "ada"})).await.refused(Code::SlugTaken);
    assert_eq!(reply.at("/param"), "slug");
    assert_eq!(ada.get("/api/orgs").await.at("/pagination/total"), 1);
}

#[tokio::test]
async fn slugs_that_are_reserved_or_no_slugs_are_refused() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for slug in ["appstrate", "system", "inline", "Upper", "-a", "a-", "a b", "ä", "", "../x", &"a".repeat(51)] {
        ada.post("/api/orgs", &json!({"name": "Acme", "slug": slug})).await.invalid_at("/slug");
    }
    ada.post("/api/orgs", &json!({"name": "日本"})).await.invalid_at("/slug");
    ada.post("/api/orgs", &json!({"name": "日本", "slug": "nihon"})).await.is(201);
    for name in ["", "   ", &"a".repeat(101), "a\0b"] {
        ada.post("/api/orgs", &json!({"name": name, "slug": "fine"})).await.invalid_at("/name");
    }
}

#[tokio::test]
async fn keys_create_none() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    ada.full_key().await.post("/api/orgs", &json!({"name": "Acme"})).await.refused(Code::Forbidden);
}
