//! The header itself, and who may use it.

use axum::http::Method;
use domain::Code;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_bare_and_a_quoted_key_are_the_same() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    let body = json!({"name": "Grace"});
    let first = key.with("idempotency-key", "8e03978e-40d5").post("/api/end-users", &body).await.is(201);
    let second = key.with("idempotency-key", "\"8e03978e-40d5\"").post("/api/end-users", &body).await.is(201);
    assert_eq!((first.text.as_str(), second.header("idempotent-replayed")), (second.text.as_str(), Some("true")));
}

#[tokio::test]
async fn what_is_no_key_is_refused_on_every_unsafe_method_and_ignored_on_reads() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let long = "k".repeat(256);
    for bad in ["", "\"\"", "a b", "\"open", &long, "a, b", "\"a\";b"] {
        let caller = ada.with("idempotency-key", bad);
        let refused = caller.post("/api/end-users", &json!({})).await.refused(Code::InvalidIdempotencyKey);
        assert_eq!(refused.at("/param"), "Idempotency-Key");
        caller.patch("/api/end-users/eu_1", &json!({})).await.refused(Code::InvalidIdempotencyKey);
        caller.delete("/api/end-users/eu_1").await.refused(Code::InvalidIdempotencyKey);
        caller.get("/api/end-users").await.is(200);
    }
    ada.with("idempotency-key", b"\xff").post("/api/end-users", &json!({})).await.refused(Code::InvalidIdempotencyKey);
    let twice = ada.with("idempotency-key", "a").with("idempotency-key", "a");
    twice.post("/api/end-users", &json!({})).await.refused(Code::InvalidIdempotencyKey);
    world.anonymous().with("idempotency-key", "").post("/api/auth/sign-in/email", &json!({})).await.refused(Code::InvalidIdempotencyKey);
    assert_eq!(ada.get("/api/end-users").await.at("/pagination/total"), 0);
}

#[tokio::test]
async fn every_answer_to_an_unsafe_request_says_whether_it_is_a_replay() {
    let world = World::start().await;
    let (ada, anonymous) = (world.tenant("ada").await, world.anonymous());
    let replies = [
        ada.post("/api/end-users", &json!({})).await.is(201),
        ada.post("/api/end-users", &json!({"name": 1})).await.is(422),
        ada.delete("/api/end-users/nonsense").await.is(404),
        anonymous.post("/api/end-users", &json!({})).await.is(401),
        anonymous.post("/api/nothing", &json!({})).await.is(404),
        anonymous.send(Method::PUT, "/api/orgs", None).await.is(405),
    ];
    for reply in replies {
        assert_eq!(reply.header("idempotent-replayed"), Some("false"), "{reply}");
    }
    assert_eq!(ada.get("/api/end-users").await.header("idempotent-replayed"), None);
}

/// Without credentials there is nobody whose repetition it could be; above all no session goes to whoever knows a key.
#[tokio::test]
async fn sign_up_and_sign_in_do_not_replay() {
    let world = World::start().await;
    let caller = world.anonymous().with("idempotency-key", "k");
    let account = json!({"name": "Ada", "email": "ada@example.com", "password": "correct horse"});
    caller.post("/api/auth/sign-up/email", &account).await.is(201);
    let again = caller.post("/api/auth/sign-up/email", &account).await.refused(Code::EmailTaken);
    assert_eq!(again.header("set-cookie"), None);
    let login = json!({"email": "ada@example.com", "password": "correct horse"});
    let (one, two) =
        (caller.post("/api/auth/sign-in/email", &login).await.is(200), caller.post("/api/auth/sign-in/email", &login).await.is(200));
    assert_ne!(one.at("/id"), two.at("/id"));
    assert_ne!(one.header("set-cookie"), two.header("set-cookie"));
    // Nor for somebody who is signed in already: the route is open, whoever asks.
    let ada = world.tenant("bob").await.with("idempotency-key", "k");
    let (one, two) = (ada.post("/api/auth/sign-in/email", &login).await.is(200), ada.post("/api/auth/sign-in/email", &login).await.is(200));
    assert_ne!(one.at("/id"), two.at("/id"));
}

#[tokio::test]
async fn a_body_that_is_too_large_to_compare_is_refused_after_the_permission() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let large = vec![b' '; 1024 * 1024 + 1];
    let send = async |caller: &crate::world::Actor<'_>| {
        let caller = caller.with("idempotency-key", "k").with("content-type", "application/json");
        caller.send_bytes(Method::POST, "/api/end-users", large.clone()).await
    };
    send(&ada).await.refused(Code::PayloadTooLarge);
    send(&ada.member(domain::Role::Viewer).await).await.refused(Code::Forbidden);
    send(&world.anonymous()).await.refused(Code::Unauthorized);
    ada.with("idempotency-key", "k").post("/api/end-users", &json!({})).await.is(201);
}
