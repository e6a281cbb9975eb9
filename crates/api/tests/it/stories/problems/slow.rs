//! Bodies that do not come.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Method;
use domain::Code;
use futures::StreamExt as _;
use futures::stream;

use crate::world::World;

/// Begins, and never ends.
fn stuck(beginning: &'static str) -> Body {
    let beginning = stream::once(async move { Ok::<_, Infallible>(Bytes::from_static(beginning.as_bytes())) });
    Body::from_stream(beginning.chain(stream::pending()))
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408() {
    let world = World::with(|options| options.body_patience = Duration::from_millis(20)).await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await.with("content-type", "application/json");
    for body in ["", "{\"name\":"] {
        let reply = key.send_bytes(Method::POST, "/api/end-users", stuck(body)).await.refused(Code::RequestTimeout);
        assert!(reply.text_at("/detail").contains("in 1 s"), "{reply}");
        let keyed = key.with("idempotency-key", "once");
        keyed.send_bytes(Method::POST, "/api/end-users", stuck(body)).await.refused(Code::RequestTimeout);
    }
    // The key was not used up, and nothing was made by half.
    key.with("idempotency-key", "once").send_bytes(Method::POST, "/api/end-users", "{}").await.is(201);
    assert_eq!(key.get("/api/end-users").await.is(200).at("/pagination/total"), 1);

    let form = key.instead("content-type", "multipart/form-data; boundary=x");
    let beginning = "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nPK";
    form.send_bytes(Method::POST, "/api/packages/import", stuck(beginning)).await.refused(Code::RequestTimeout);
    // A refusal does not wait for the rest.
    world.anonymous().send_bytes(Method::POST, "/api/end-users", stuck("{")).await.refused(Code::Unauthorized);
}
