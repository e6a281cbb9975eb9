use axum::http::Method;
use domain::Code;
use serde_json::json;

use crate::world::{Actor, Reply, World};

const PATH: &str = "/api/end-users";

async fn post(caller: &Actor<'_>, body: impl Into<axum::body::Body>) -> Reply {
    caller.with("content-type", "application/json").send_bytes(Method::POST, PATH, body).await
}

#[tokio::test]
async fn malformed_json_is_a_400() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    for body in [
        "",
        " ",
        "{",
        "{}}",
        "{} {}",
        "nul",
        "{\"name\":}",
        "{'name':'x'}",
        "{\"name\":\"\\ud800\"}",
        "{\"name\":\"a\tb\"}",
        "\u{feff}{}",
        "{\"metadata\":{\"n\":1e999}}",
        "{\"metadata\":{\"n\":NaN}}",
    ] {
        post(&key, body).await.refused(Code::InvalidJson);
    }
    post(&key, &b"{\"name\":\"\xff\xfe\"}"[..]).await.refused(Code::InvalidJson);
}

#[tokio::test]
async fn nesting_is_bounded() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    for body in ["[".repeat(100_000), "{\"a\":".repeat(50_000), format!("{{\"metadata\":{{\"a\":{}{}}}}}", "[".repeat(63), "]".repeat(63))]
    {
        post(&key, body).await.refused(Code::InvalidJson);
    }
    let shallow = format!("{{\"metadata\":{{\"a\":{}{}}}}}", "[".repeat(62), "]".repeat(62));
    post(&key, shallow).await.invalid_at("/metadata/a");
    post(&key, json!({"name": "[".repeat(150)}).to_string()).await.is(201);
}

#[tokio::test]
async fn other_content_types_are_a_415() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    for media_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", "json", ""]
    {
        let reply = key.with("content-type", media_type).send_bytes(Method::POST, PATH, "{}").await.refused(Code::UnsupportedMediaType);
        assert_eq!(reply.at("/param"), "Content-Type");
    }
    key.send_bytes(Method::POST, PATH, "{}").await.refused(Code::UnsupportedMediaType);
    for media_type in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"] {
        key.with("content-type", media_type).send_bytes(Method::POST, PATH, "{}").await.is(201);
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_a_413_and_one_at_it_is_read() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    let padded = |size: usize| format!("{{}}{}", " ".repeat(size - 2));
    post(&key, padded(1024 * 1024)).await.is(201);
    post(&key, padded(1024 * 1024 + 1)).await.refused(Code::PayloadTooLarge);
}

#[tokio::test]
async fn an_unknown_member_is_pointed_at() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    let reply = post(&key, r#"{"name":"x","extra":1}"#).await.invalid_at("/extra");
    assert_eq!(reply.at("/errors/0/code"), "unknown_field");
    post(&key, r#"{"external_id":"x"}"#).await.invalid_at("/external_id");
    post(&key, r#"{"a/b~c":1}"#).await.invalid_at("/a~1b~0c");
    post(&key, r#"{"a.b[0]":1}"#).await.invalid_at("/a.b[0]");
    post(&key, r#"{"__proto__":{}}"#).await.invalid_at("/__proto__");
}

#[tokio::test]
async fn a_refusal_stays_small_whatever_it_refuses() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    let name = "x".repeat(1024 * 1024 - 20);
    let reply = post(&key, format!("{{\"{name}\":1}}")).await.refused(Code::ValidationError);
    assert_eq!(reply.at("/errors/0/code"), "unknown_field");
    assert!(reply.text.len() < 64 * 1024, "{} bytes", reply.text.len());

    let bad: serde_json::Map<_, _> = (0..40_000).map(|number| (format!("key {number}"), json!({}))).collect();
    let body = json!({ "metadata": bad }).to_string();
    assert!((500_000..1024 * 1024).contains(&body.len()));
    let reply = post(&key, body).await.refused(Code::ValidationError);
    assert!(reply.text.len() < 64 * 1024, "{} bytes", reply.text.len());

    let scopes: Vec<_> = (0..30_000).map(|number| format!("runs:\u{1}{number}")).collect();
    let ada = world.tenant("eve").await;
    let reply = ada.post("/api/api-keys", &json!({"name": "Key", "scopes": scopes})).await.refused(Code::ValidationError);
    assert!(reply.text.len() < 64 * 1024, "{} bytes", reply.text.len());
}

#[tokio::test]
async fn wrong_types_are_pointed_at() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    post(&key, r#"{"name":1}"#).await.invalid_at("/name");
    post(&key, r#"{"metadata":"x"}"#).await.invalid_at("/metadata");
    for body in ["null", "1", "\"x\"", "[]", "true"] {
        post(&key, body).await.invalid_at("");
    }
    post(&key, r#"{"name":"a","name":"b"}"#).await.invalid_at("/name");
    post(&key, r#"{"metadata":{"n":123456789012345678901234567890}}"#).await.is(201);
}

#[tokio::test]
async fn nul_is_no_text_anywhere() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    for member in ["name", "email", "externalId"] {
        post(&key, json!({ member: "a\0b@c.de" }).to_string()).await.invalid_at(&format!("/{member}"));
    }
    post(&key, r#"{"metadata":{"a\u0000b":1}}"#).await.refused(Code::ValidationError);
    key.get("/api/end-users/%00").await.refused(Code::NotFound);
    key.get("/api/end-users/eu_%ff").await.refused(Code::NotFound);
}
