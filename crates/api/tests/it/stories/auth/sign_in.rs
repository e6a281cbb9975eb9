use domain::Code;
use serde_json::json;

use super::token;
use crate::world::World;

async fn with_ada() -> World {
    let world = World::start().await;
    let body = json!({"name": "Ada", "email": "ada@example.com", "password": "correct horse"});
    world.anonymous().post("/api/auth/sign-up/email", &body).await.is(201);
    world
}

#[tokio::test]
async fn email_and_password_open_a_session() {
    let world = with_ada().await;
    let body = json!({"email": "ADA@example.com", "password": "correct horse"});
    let reply = world.anonymous().post("/api/auth/sign-in/email", &body).await.is(200);
    world.anonymous().with_cookie(&token(&reply)).get("/api/auth/get-session").await.is(200);
}

#[tokio::test]
async fn an_unknown_email_and_a_wrong_password_read_the_same() {
    let world = with_ada().await;
    let wrong = json!({"email": "ada@example.com", "password": "wrong horse!"});
    let wrong = world.anonymous().post("/api/auth/sign-in/email", &wrong).await.refused(Code::InvalidCredentials);
    let unknown = json!({"email": "eve@example.com", "password": "wrong horse!"});
    let unknown = world.anonymous().post("/api/auth/sign-in/email", &unknown).await.refused(Code::InvalidCredentials);
    assert_eq!(wrong.stable(&[]), unknown.stable(&[]));
    assert_eq!(wrong.stable_headers(), unknown.stable_headers());
}

#[tokio::test]
async fn a_stale_cookie_in_the_browser_does_not_lock_its_owner_out() {
    let world = with_ada().await;
    let body = json!({"email": "ada@example.com", "password": "correct horse"});
    let stale = world.anonymous().with_cookie("a-session-that-ended-elsewhere");
    stale.get("/api/auth/get-session").await.refused(Code::Unauthorized);
    stale.post("/api/auth/sign-in/email", &body).await.is(200);
}
