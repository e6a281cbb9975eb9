use axum::http::Method;
use domain::Code;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn every_end_user_that_is_none_gets_the_same_bytes() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let key = ada.full_key().await;
    let staging = ada.application("Staging").await;
    let deleted = ada.end_user("Deleted").await;
    ada.delete_end_user(deleted).await;
    let own = ada.end_user("Grace").await.to_string();
    let ids = [
        String::new(),
        "nonsense".to_owned(),
        own.to_uppercase(),
        format!("{own} "),
        format!(" {own}x"),
        format!("{own},{own}"),
        "eu_01jd9xq3e8f2t8v0k3m5n7p9r1".to_owned(),
        bob.end_user("Foreign").await.to_string(),
        ada.end_user_of(staging, "Sibling").await.to_string(),
        deleted.to_string(),
    ];
    for path in ["/api/end-users", "/api/applications", "/api/auth/get-session"] {
        let mut seen = Vec::new();
        for id in &ids {
            let reply = key.with("appstrate-user", id).get(path).await;
            // Surrounding spaces are no part of a header's value (RFC 9110 §5.5); in process nothing trims them.
            let reply = reply.refused(Code::InvalidEndUser);
            seen.push((reply.stable(&[]), reply.stable_headers()));
        }
        let reply = key.with("appstrate-user", b"\xff\xfe").get(path).await.refused(Code::InvalidEndUser);
        seen.push((reply.stable(&[]), reply.stable_headers()));
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    }
}

#[tokio::test]
async fn the_header_is_for_keys_only() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let grace = ada.end_user("Grace").await;
    let reply = ada.as_user(grace).get("/api/end-users").await.refused(Code::HeaderNotAllowed);
    assert_eq!(reply.at("/param"), "Appstrate-User");
    ada.with("appstrate-user", "").get("/api/end-users").await.refused(Code::HeaderNotAllowed);
    world.anonymous().as_user(grace).get("/api/end-users").await.refused(Code::Unauthorized);
    ada.full_key().await.as_user(grace).as_user(grace).get("/api/end-users").await.refused(Code::InvalidRequest);
}

#[tokio::test]
async fn the_caller_is_the_end_user_and_does_no_more_than_it_may() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let (grace, alan) = (ada.end_user("Grace").await, ada.end_user("Alan").await);
    let as_grace = ada.full_key().await.as_user(grace);
    assert_eq!(as_grace.get("/api/end-users").await.is(200).at("/pagination/total"), 1);
    as_grace.get(&format!("/api/end-users/{grace}")).await.is(200);
    as_grace.get(&format!("/api/end-users/{alan}")).await.refused(Code::NotFound);
    as_grace.post("/api/end-users", &json!({"name": "Eve"})).await.refused(Code::Forbidden);
    for id in [grace, alan] {
        as_grace.patch(&format!("/api/end-users/{id}"), &json!({"name": "Eve"})).await.refused(Code::Forbidden);
        as_grace.delete(&format!("/api/end-users/{id}")).await.refused(Code::Forbidden);
    }
    as_grace.send(Method::GET, "/api/api-keys", None).await.refused(Code::Forbidden);
    ada.key(&["runs:read"]).await.as_user(grace).get("/api/end-users").await.refused(Code::Forbidden);
}
