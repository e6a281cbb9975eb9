use domain::Code;
use serde_json::json;

use super::token;
use crate::world::World;

#[tokio::test]
async fn the_session_is_over_at_once_and_the_cookie_forgotten() {
    let world = World::start().await;
    let body = json!({"name": "Ada", "email": "ada@example.com", "password": "correct horse"});
    let reply = world.anonymous().post("/api/auth/sign-up/email", &body).await.is(201);
    let ada = world.anonymous().with_cookie(&token(&reply));

    let reply = ada.send(axum::http::Method::POST, "/api/auth/sign-out", None).await.is(204);

    assert!(reply.header("set-cookie").unwrap().contains("Max-Age=0"));
    ada.get("/api/auth/get-session").await.refused(Code::Unauthorized);
    ada.get("/api/orgs").await.refused(Code::Unauthorized);
}

#[tokio::test]
async fn a_key_has_no_session_to_end() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    ada.full_key().await.send(axum::http::Method::POST, "/api/auth/sign-out", None).await.refused(Code::Forbidden);
}
