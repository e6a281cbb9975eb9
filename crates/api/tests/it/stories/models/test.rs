use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::Code;
use serde_json::{Value, json};

use crate::world::World;

/// Path, headers and body of each request.
pub(super) type Seen = Arc<Mutex<Vec<(String, HeaderMap, Value)>>>;

/// A vendor: what it answers depends on the model that is asked for.
pub(super) async fn vendor(seen: Seen) -> std::net::SocketAddr {
    let answer = async move |request: Request<Body>| -> Response {
        let (head, body) = request.into_parts();
        let body: Value = serde_json::from_slice(&axum::body::to_bytes(body, 65_536).await.unwrap()).unwrap();
        let model = body["model"].as_str().unwrap().to_owned();
        let key = [header::AUTHORIZATION.as_str(), "x-api-key"].iter().find_map(|name| head.headers.get(*name)).cloned();
        seen.lock().unwrap().push((head.uri.path().to_owned(), head.headers, body));
        match model.as_str() {
            "streams" => ([(header::CONTENT_TYPE, "text/event-stream")], "data: {}\n\n").into_response(),
            "whole" => axum::Json(json!({"choices": [], "error": null})).into_response(),
            "page" => ([(header::CONTENT_TYPE, "text/html")], "<html>Sign in</html>").into_response(),
            "wrong-key" => {
                let key = key.unwrap();
                let message = format!("no such key: {}", key.to_str().unwrap());
                (StatusCode::UNAUTHORIZED, axum::Json(json!({"error": {"message": message}}))).into_response()
            }
            _ => (StatusCode::NOT_FOUND, axum::Json(json!({"error": {"message": "no such model"}}))).into_response(),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    address
}

#[tokio::test]
async fn each_protocol_is_asked_in_its_words_and_the_outcome_says_what_came() {
    let seen = Seen::default();
    let address = vendor(Arc::clone(&seen)).await;
    let world = World::with_outbound(&format!("models={address}"), "[]", "https://example.com/").await;
    let ada = world.tenant("ada").await;
    let test = async |api: &str, model: &str| {
        let vendor = json!({"label": "Vendor", "api": api, "baseUrl": format!("http://{address}/v1"), "apiKey": "k-canary"});
        let key = ada.post("/api/provider-keys", &vendor).await.is(201).text_at("/id");
        let body = json!({"label": model, "api": api, "baseUrl": format!("http://{address}/v1"), "modelId": model, "providerKeyId": key});
        let id = ada.post("/api/models", &body).await.is(201).text_at("/id");
        let tested = ada.send(Method::POST, &format!("/api/models/{id}/test"), None).await.is(200);
        assert!(!tested.text.contains("canary"), "{tested}");
        tested
    };
    for (api, path, name, value) in [
        ("openai-completions", "/v1/chat/completions", "authorization", "Bearer k-canary"),
        ("openai-responses", "/v1/responses", "authorization", "Bearer k-canary"),
        ("anthropic-messages", "/v1/messages", "x-api-key", "k-canary"),
    ] {
        assert_eq!(test(api, "streams").await.at("/ok"), true, "{api}");
        let (asked, headers, body) = seen.lock().unwrap().pop().unwrap();
        assert_eq!((asked.as_str(), headers[name].to_str().unwrap(), &body["stream"]), (path, value, &json!(true)));
    }
    assert_eq!(test("openai-completions", "whole").await.at("/ok"), true);
    for (model, error, part) in [
        ("page", "PROVIDER_ERROR", "Sign in"),
        ("absent", "PROVIDER_ERROR", "no such model"),
        ("wrong-key", "AUTH_FAILED", "no such key: Bearer [redacted]"),
    ] {
        let tested = test("openai-completions", model).await;
        assert_eq!((tested.at("/ok"), tested.at("/error")), (json!(false), json!(error)), "{tested}");
        assert!(tested.text_at("/message").contains(part), "{tested}");
    }
}

#[tokio::test]
async fn private_addresses_are_blocked_and_foreign_models_are_not_there() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let body = json!({"label": "Local", "api": "openai-completions", "baseUrl": "http://127.0.0.1:11434/v1", "modelId": "m"});
    let own = ada.post("/api/models", &body).await.is(201).text_at("/id");
    let tested = ada.send(Method::POST, &format!("/api/models/{own}/test"), None).await.is(200);
    assert_eq!((tested.at("/ok"), tested.at("/error")), (json!(false), json!("BLOCKED_URL")));
    bob.send(Method::POST, &format!("/api/models/{own}/test"), None).await.refused(Code::NotFound);
    ada.member(domain::Role::Member).await.send(Method::POST, &format!("/api/models/{own}/test"), None).await.refused(Code::Forbidden);
}

#[tokio::test]
async fn one_key_is_one_call_until_it_is_cut_off_and_one_row() {
    for world in World::each_with_outbound("models=127.0.0.1").await {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", silent.local_addr().unwrap());
        let ada = world.tenant("ada").await;
        let body = json!({"label": "Slow", "api": "openai-completions", "baseUrl": base_url, "modelId": "m"});
        let path = format!("/api/models/{}/test", ada.post("/api/models", &body).await.is(201).text_at("/id"));
        let caller = ada.with("idempotency-key", "k");
        // The client hangs up while the vendor thinks.
        tokio::select! {
            reply = caller.send(Method::POST, &path, None) => panic!("{reply}"),
            accepted = silent.accept() => drop(accepted.unwrap()),
        }
        let rows = ada.audit().await.len();
        caller.send(Method::POST, &path, None).await.refused(Code::IdempotencyInProgress);
        assert_eq!(ada.audit().await.len(), rows);
        world.clock.advance(connect::outbound::PATIENCE * 2);
        drop(silent);
        let tested = caller.send(Method::POST, &path, None).await.is(200);
        assert_eq!((tested.at("/error"), tested.header("idempotent-replayed")), (json!("CONNECTION_REFUSED"), Some("false")));
        let again = caller.send(Method::POST, &path, None).await.is(200);
        assert_eq!((again.text.as_str(), again.header("idempotent-replayed")), (tested.text.as_str(), Some("true")));
        let audit = ada.audit().await;
        assert_eq!((audit.len(), audit[0].path.as_str(), audit[0].status), (rows + 1, path.as_str(), Some(200)));
    }
}
