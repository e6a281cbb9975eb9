use std::time::Duration;

use axum::http::Method;
use domain::Code;

use super::world;
use crate::world::{Actor, World};

const THREE: &str = r#"{"public": {"limit": 3}}"#;

fn guess(world: &World, number: u32) -> Actor<'_> {
    world.anonymous().with_key(&format!("ask_{number:048}"))
}

#[tokio::test]
async fn guessing_keys_is_over_after_the_quota_of_the_address() {
    let world = world(THREE).await;
    let ada = world.tenant("ada").await;
    for number in 0..3 {
        assert_eq!(guess(&world, number).get("/api/runs").await.refused(Code::Unauthorized).budget().remaining, u64::from(2 - number));
    }
    for number in 3..6 {
        guess(&world, number).get("/api/end-users").await.refused(Code::RateLimited);
    }
    // Also a right guess is not answered, so nothing can be learned.
    let right = ada.full_key().await;
    right.get("/api/runs").await.refused(Code::RateLimited);
    right.with("x-forwarded-for", "198.51.100.1").get("/api/runs").await.is(200);
    world.clock.advance(Duration::from_mins(1));
    right.get("/api/runs").await.is(200);
}

#[tokio::test]
async fn who_was_known_at_the_address_is_not_locked_out_by_others() {
    let world = world(THREE).await;
    let ada = world.tenant("ada").await;
    let (id, key) = ada.key_of(ada.plan(&["runs:read"])).await;
    key.get("/api/runs").await.is(200);
    ada.get("/api/runs").await.is(200);
    for number in 0..4 {
        assert!(matches!(guess(&world, number).get("/api/runs").await.status, 401 | 429));
    }
    key.get("/api/runs").await.is(200);
    ada.get("/api/runs").await.is(200);
    // A key that is revoked is a stranger from its next request on.
    ada.revoke(id).await;
    key.get("/api/runs").await.refused(Code::RateLimited);
    world.clock.advance(Duration::from_mins(1));
    key.get("/api/runs").await.refused(Code::Unauthorized);
}

#[tokio::test]
async fn malformed_and_ended_credentials_count_too() {
    let world = world(THREE).await;
    let ada = world.tenant("ada").await;
    world.anonymous().with("authorization", "Bearer").get("/api/runs").await.refused(Code::Unauthorized);
    world.anonymous().with("authorization", "Basic YTpi").get("/api/runs").await.refused(Code::Unauthorized);
    world.anonymous().with_cookie("ended").get("/api/runs").await.refused(Code::Unauthorized);
    for caller in [guess(&world, 1), world.anonymous().with("authorization", "Basic YTpi"), world.anonymous().with_cookie("other")] {
        caller.get("/api/runs").await.refused(Code::RateLimited);
    }
    // A browser with an ended session can still sign in, and what needs no credentials is counted apart.
    world.anonymous().with_cookie("ended").post("/api/auth/sign-in/email", &serde_json::json!({})).await.refused(Code::ValidationError);
    world.anonymous().get("/docs/errors/not-found").await.is(200);
    ada.with("x-forwarded-for", "198.51.100.1").get("/api/runs").await.is(200);
}

#[tokio::test]
async fn requests_without_credentials_keep_nobody_else_from_being_heard() {
    let world = world(THREE).await;
    let ada = world.tenant("ada").await;
    for remaining in [2, 1, 0] {
        assert_eq!(world.anonymous().get("/api/runs").await.refused(Code::Unauthorized).budget().remaining, remaining);
    }
    // Its own limit is reached, and nobody else's: neither of who comes with a new key nor of who has just signed in.
    world.anonymous().get("/api/runs").await.refused(Code::RateLimited);
    ada.full_key().await.get("/api/runs").await.is(200);
    let session = world.session(ada.owner).await;
    world.anonymous().with_cookie(session.token.expose()).get("/api/orgs").await.is(200);
    assert_eq!(guess(&world, 1).get("/api/runs").await.refused(Code::Unauthorized).budget().remaining, 2);
}

#[tokio::test]
async fn who_signs_in_is_heard_at_an_address_that_guesses() {
    let world = world(THREE).await;
    world.proven_user("ada@example.com").await;
    for number in 0..4 {
        guess(&world, number).get("/api/runs").await;
    }
    guess(&world, 5).get("/api/orgs").await.refused(Code::RateLimited);
    let body = serde_json::json!({"email": "ada@example.com", "password": "correct horse"});
    let signed_in = world.anonymous().post("/api/auth/sign-in/email", &body).await.is(200);
    let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    world.anonymous().with("cookie", cookie).get("/api/orgs").await.is(200);
}

#[tokio::test]
async fn an_unknown_route_is_no_way_to_have_keys_looked_up() {
    let world = world(r#"{"public": {"limit": 5}}"#).await;
    let ada = world.tenant("ada").await;
    let grace = ada.end_user("Grace").await;
    let (known, unheard) = (ada.full_key().await, ada.full_key().await);
    known.get("/api/end-users").await.is(200);
    for number in 0..6 {
        guess(&world, number).get("/api/runs").await;
    }
    let rows = ada.audit().await.len();
    unheard.as_user(grace).get("/api/end-users").await.refused(Code::RateLimited);
    unheard.as_user(grace).get("/api/nothing").await.refused(Code::NotFound);
    unheard.as_user(grace).put("/api/end-users", &serde_json::json!({})).await.refused(Code::MethodNotAllowed);
    assert_eq!(ada.audit().await.len(), rows, "nobody has asked whose key it is");
    known.as_user(grace).get("/api/nothing").await.refused(Code::NotFound);
    assert_eq!(ada.audit().await.len(), rows + 1, "who was known before is heard here too");
}

#[tokio::test]
async fn the_query_of_a_stream_is_no_way_around() {
    let world = world(THREE).await;
    for number in 0..3 {
        world.anonymous().get(&format!("/api/realtime/runs/run_x?token=ask_{number}")).await.refused(Code::Unauthorized);
    }
    world.anonymous().get("/api/realtime/runs/run_x?token=ask_4").await.refused(Code::RateLimited);
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_one_bucket_of_the_address() {
    let world = world(THREE).await;
    let ada = world.tenant("ada").await;
    world.anonymous().get("/api/nothing").await.refused(Code::NotFound);
    ada.get("/api/nothing/else").await.refused(Code::NotFound);
    assert_eq!(ada.send(Method::PUT, "/api/runs", None).await.refused(Code::MethodNotAllowed).budget().remaining, 0);
    ada.get("/favicon.ico").await.refused(Code::RateLimited);
    ada.get("/api/runs").await.is(200);
    world.anonymous().with("x-forwarded-for", "198.51.100.1").get("/api/nothing").await.refused(Code::NotFound);
}

#[tokio::test]
async fn our_own_faults_are_held_against_nobody() {
    let world = world(THREE).await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await;
    world.store.close().await.unwrap();
    for _ in 0..5 {
        assert_eq!(key.get("/api/runs").await.refused(Code::Unavailable).budget().remaining, 3);
    }
}
