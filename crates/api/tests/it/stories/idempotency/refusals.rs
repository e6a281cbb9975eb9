//! Refusals that the same request would meet again come again, word for word; all others leave the key as it was.

use axum::http::Method;
use domain::Code;
use serde_json::json;

use crate::walk::Stage;
use crate::world::World;

#[tokio::test]
async fn a_refusal_comes_again_with_the_first_requests_id_in_its_body() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let missing = "/api/end-users/eu_01jd9xq3e8f2t8v0k3m5n7p9r1";
        for (at, (method, path, body, code)) in [
            // By the body's own extractor, before any write is opened.
            (Method::POST, "/api/end-users", Some(json!({"name": 1})), Code::ValidationError),
            (Method::POST, "/api/end-users", Some(json!({"nothing": 1})), Code::ValidationError),
            (Method::DELETE, "/api/end-users/nonsense", None, Code::NotFound),
            // Within an open write, which is dropped.
            (Method::DELETE, missing, None, Code::NotFound),
            (Method::PATCH, missing, Some(json!({})), Code::NotFound),
        ]
        .into_iter()
        .enumerate()
        {
            let caller = ada.with("idempotency-key", format!("k{at}"));
            let first = caller.send(method.clone(), path, body.as_ref()).await.refused(code);
            let again = caller.send(method.clone(), path, body.as_ref()).await.refused(code);
            assert_eq!(again.header("idempotent-replayed"), Some("true"), "{again}");
            assert_eq!((&first.text, first.header("content-type")), (&again.text, again.header("content-type")));
            assert_eq!(again.at("/requestId"), first.header("request-id").unwrap());
            assert_ne!(again.header("request-id"), first.header("request-id"));
        }
    }
}

#[tokio::test]
async fn what_may_end_otherwise_next_time_is_tried_again() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let taken = ada.end_user("Taken").await;
        // 409
        let caller = ada.with("idempotency-key", "conflict");
        let body = json!({"externalId": "Taken"});
        caller.post("/api/end-users", &body).await.refused(Code::ExternalIdTaken);
        ada.delete_end_user(taken).await;
        let free = caller.post("/api/end-users", &body).await.is(201);
        assert_eq!(free.header("idempotent-replayed"), Some("false"));
        // 403, decided before the key is looked at.
        let (narrow, wide) = (ada.key(&["runs:read"]).await, ada.full_key().await);
        narrow.with("idempotency-key", "k").post("/api/end-users", &json!({})).await.refused(Code::Forbidden);
        wide.with("idempotency-key", "k").post("/api/end-users", &json!({})).await.is(201);
        // 415: the media type is no part of what the requests of a key have in common.
        let caller = ada.with("idempotency-key", "type");
        caller.with("content-type", "text/plain").post("/api/end-users", &json!({})).await.refused(Code::UnsupportedMediaType);
        caller.post("/api/end-users", &json!({})).await.is(201);
        // 413
        let caller = ada.with("idempotency-key", "large").with("content-type", "application/json");
        let large = vec![b' '; 1024 * 1024 + 1];
        caller.send_bytes(Method::POST, "/api/end-users", large).await.refused(Code::PayloadTooLarge);
        caller.post("/api/end-users", &json!({})).await.is(201);
        // 400 for want of a header that names the caller's place.
        let caller = ada.with("idempotency-key", "place");
        caller.without("x-app-id").post("/api/end-users", &json!({})).await.refused(Code::InvalidRequest);
        caller.post("/api/end-users", &json!({})).await.is(201);
    }
}

#[tokio::test]
async fn a_fault_leaves_the_key_usable() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        for calm in 1..3 {
            let caller = ada.with("idempotency-key", format!("k{calm}"));
            world.ids.trip_after(calm);
            caller.post("/api/end-users", &json!({})).await.refused(Code::InternalError);
            world.ids.trip_after(i64::MAX);
            // On PostgreSQL the transaction that was cut off ends a moment later, and with it its lock.
            let made = loop {
                let reply = caller.post("/api/end-users", &json!({})).await;
                if reply.status != 409 {
                    break reply.is(201);
                }
            };
            assert_eq!(made.header("idempotent-replayed"), Some("false"));
            assert_eq!(ada.get("/api/end-users").await.at("/pagination/total"), calm);
        }
    }
}

#[tokio::test]
async fn a_limit_that_was_reached_is_asked_again_and_what_is_missing_is_not() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let caller = stage.key.with("idempotency-key", "k");
    let body = json!({"agentId": "@own/removable"});
    let first = caller.post("/api/runs", &body).await.refused(Code::AgentNotFound);
    stage.own.post(&format!("/api/applications/{}/packages", stage.own.app), &json!({"packageId": "@own/removable"})).await.is(201);
    let again = caller.post("/api/runs", &body).await.refused(Code::AgentNotFound);
    assert_eq!(first.text, again.text, "a key is for one attempt; the next one needs another");
    stage.key.with("idempotency-key", "k2").post("/api/runs", &body).await.is(200);
}
