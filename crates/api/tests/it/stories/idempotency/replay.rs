//! Which requests are the same, and what the second one gets.

use std::time::Duration;

use axum::http::Method;
use domain::{Code, Role};
use serde_json::json;

use crate::walk::Stage;
use crate::world::{Reply, World};

fn is_replay(reply: &Reply) -> bool {
    reply.header("idempotent-replayed") == Some("true")
}

#[tokio::test]
async fn the_first_answer_comes_again_for_a_day() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let key = ada.full_key().await.with("idempotency-key", "k");
        let body = json!({"name": "Grace", "externalId": "42"});
        let first = key.post("/api/end-users", &body).await.is(201);
        assert!(!is_replay(&first));
        world.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
        let again = key.post("/api/end-users", &body).await.is(201);
        assert!(is_replay(&again));
        assert_eq!((&again.text, again.header("location")), (&first.text, first.header("location")));
        assert_eq!(again.header("content-type"), Some("application/json"));
        assert_ne!(again.header("request-id"), first.header("request-id"), "the request is another one");
        world.clock.advance(Duration::from_secs(1));
        key.post("/api/end-users", &body).await.refused(Code::ExternalIdTaken);
        assert_eq!(ada.get("/api/end-users").await.at("/pagination/total"), 1);
    }
}

#[tokio::test]
async fn another_body_query_or_version_under_the_same_key_is_another_request() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await.with("idempotency-key", "k");
    key.post("/api/end-users", &json!({"name": "Grace"})).await.is(201);
    key.post("/api/end-users", &json!({"name": "Alan"})).await.refused(Code::IdempotencyConflict);
    key.post("/api/end-users?a=1", &json!({"name": "Grace"})).await.refused(Code::IdempotencyConflict);
    let newer = key.with("appstrate-version", "2026-11-21");
    newer.post("/api/end-users", &json!({"name": "Grace"})).await.refused(Code::IdempotencyConflict);
    // The version counts, not how it was asked for.
    let same = key.with("appstrate-version", "2026-03-21").post("/api/end-users", &json!({"name": "Grace"})).await.is(201);
    assert!(is_replay(&same));
}

#[tokio::test]
async fn keys_are_separate_for_each_method_path_caller_and_application() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let body = json!({"name": "Eve"});
    let staging = ada.application("Staging").await;
    let callers = [
        ada.full_key().await,
        ada.full_key().await,
        ada.member(Role::Admin).await,
        (*ada).clone(),
        ada.instead("x-app-id", staging.to_string()),
        bob.full_key().await,
    ];
    for caller in &callers {
        let caller = caller.with("idempotency-key", "k");
        let first = caller.post("/api/end-users", &body).await.is(201);
        assert!(!is_replay(&first));
        assert!(is_replay(&caller.post("/api/end-users", &body).await.is(201)));
        let path = format!("/api/end-users/{}", first.text_at("/id"));
        assert!(!is_replay(&caller.patch(&path, &body).await.is(200)));
        assert!(!is_replay(&caller.delete(&path).await.is(204)));
        assert!(is_replay(&caller.delete(&path).await.is(204)), "the same deletion, not a second one");
        caller.without("idempotency-key").delete(&path).await.refused(Code::NotFound);
    }
}

#[tokio::test]
async fn a_key_and_the_same_key_as_an_end_user_are_two_callers() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let body = json!({"agentId": "@own/helper"});
        let itself = stage.key.with("idempotency-key", "k");
        let mut runs = Vec::new();
        for caller in [itself.clone(), itself.as_user(stage.grace)] {
            let first = caller.post("/api/runs", &body).await.is(200);
            assert!(!is_replay(&first), "{first}");
            let again = caller.post("/api/runs", &body).await.is(200);
            assert_eq!((is_replay(&again), &again.text), (true, &first.text));
            runs.push(first.text_at("/runId"));
        }
        let of = async |run: &str| stage.key.get(&format!("/api/runs/{run}")).await.is(200).at("/endUserId");
        assert_eq!((of(&runs[0]).await, of(&runs[1]).await), (serde_json::Value::Null, json!(stage.grace.to_string())));
    }
}

#[tokio::test]
async fn end_users_of_one_key_do_not_see_each_others_answers() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let body = json!({"agentId": "@own/helper"});
        let mut runs = Vec::new();
        for end_user in [stage.grace, stage.alan] {
            let caller = stage.key.as_user(end_user).with("idempotency-key", "k");
            let first = caller.post("/api/runs", &body).await.is(200);
            let again = caller.post("/api/runs", &body).await.is(200);
            assert!(!is_replay(&first) && is_replay(&again));
            assert_eq!(first.text, again.text);
            runs.push(first.text);
        }
        assert_ne!(runs[0], runs[1]);
        assert_eq!(stage.key.get("/api/runs").await.at("/pagination/total"), 2);
    }
}

#[tokio::test]
async fn a_replay_needs_the_permission_that_the_first_request_needed() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let creator = ada.joined(Role::Admin).await;
    let plan = crate::world::KeyPlan { creator, ..ada.plan(&["end-users:write"]) };
    let (id, key) = ada.key_of(plan).await;
    let key = key.with("idempotency-key", "k");
    key.post("/api/end-users", &json!({})).await.is(201);
    ada.leave(creator).await;
    key.post("/api/end-users", &json!({})).await.refused(Code::Unauthorized);
    assert_eq!(ada.get("/api/end-users").await.at("/pagination/total"), 1);
    // A role that was lowered: still a member, who may read the answer no more.
    let member = ada.joined(Role::Member).await;
    let session = world.session(member).await;
    let caller = ada.instead("cookie", format!("appstrate_session={}", session.token.expose())).with("idempotency-key", "m");
    caller.post("/api/end-users", &json!({})).await.is(201);
    ada.patch(&format!("/api/orgs/{}/members/{member}", ada.org), &json!({"role": "viewer"})).await.is(200);
    caller.get("/api/end-users").await.is(200);
    caller.post("/api/end-users", &json!({})).await.refused(Code::Forbidden);
    ada.revoke(id).await;
}

#[tokio::test]
async fn a_replay_does_not_depend_on_what_has_changed_since() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let caller = stage.key.with("idempotency-key", "k");
    let first = caller.post("/api/agents/@own/helper/run", &json!({})).await.is(200);
    stage.own.delete(&format!("/api/applications/{}/packages/@own/helper", stage.own.app)).await.is(204);
    stage.key.post("/api/agents/@own/helper/run", &json!({})).await.refused(Code::AgentNotFound);
    let again = caller.post("/api/agents/@own/helper/run", &json!({})).await.is(200);
    assert_eq!((again.text.as_str(), is_replay(&again)), (first.text.as_str(), true));
}

#[tokio::test]
async fn an_organization_is_made_once_for_its_user() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let body = json!({"name": "Acme"});
        let outside = |tenant: &crate::world::Tenant<'_>| {
            let cookie = tenant.cookie();
            world.anonymous().with("cookie", cookie).with("idempotency-key", "k")
        };
        let first = outside(&ada).post("/api/orgs", &body).await.is(201);
        let again = outside(&ada).post("/api/orgs", &body).await.is(201);
        assert_eq!((again.text.as_str(), is_replay(&again)), (first.text.as_str(), true));
        outside(&bob).post("/api/orgs", &body).await.refused(Code::SlugTaken);
    }
}

#[tokio::test]
async fn an_impersonated_replay_leaves_its_own_audit_row() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let caller = stage.key.as_user(stage.grace).with("idempotency-key", "k");
    let body = json!({"agentId": "@own/helper"});
    let mut requests = Vec::new();
    for _ in 0..2 {
        let reply = caller.post("/api/runs", &body).await.is(200);
        requests.push(reply.header("request-id").unwrap().to_owned());
    }
    let rows = stage.own.audit().await;
    for request in requests {
        let rows: Vec<_> = rows.iter().filter(|row| row.request.to_string() == request).collect();
        assert_eq!((rows.len(), rows[0].status), (1, Some(200)), "{rows:?}");
    }
}

#[tokio::test]
async fn a_form_is_compared_byte_by_byte() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let caller = ada.with("idempotency-key", "k");
    let archive = crate::walk::archive("@ada/calculator");
    let first = crate::walk::upload(&caller, "/api/packages/import", &archive).await.is(201);
    let again = crate::walk::upload(&caller, "/api/packages/import", &archive).await.is(201);
    assert_eq!((again.text.as_str(), is_replay(&again)), (first.text.as_str(), true));
    assert_eq!(again.header("location"), first.header("location"));
    let other = caller.with("content-type", "multipart/form-data; boundary=walk");
    other.send_bytes(Method::POST, "/api/packages/import", "--walk--\r\n").await.refused(Code::IdempotencyConflict);
    // As large as a form may be, which is more than a JSON body.
    let mut large = b"--walk\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".to_vec();
    large.extend(std::iter::repeat_n(b'x', 9 * 1024 * 1024));
    large.extend(b"\r\n--walk--\r\n");
    let broken = ada.with("idempotency-key", "large").with("content-type", "multipart/form-data; boundary=walk");
    broken.send_bytes(Method::POST, "/api/packages/import", large).await.refused(Code::PackageError);
}
