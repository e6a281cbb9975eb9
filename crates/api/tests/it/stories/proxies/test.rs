use std::net::SocketAddr;

use domain::Code;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::proxy;
use crate::world::World;

/// Answers every request, and every CONNECT, with this head; what comes through a tunnel is answered with 204.
async fn server(head: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                for answer in [head, "HTTP/1.1 204 No Content\r\n\r\n"] {
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = socket.read_u8().await else { return };
                        request.push(byte);
                    }
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn the_outcome_says_what_the_proxy_did() {
    let (open, closed, strict) = (
        server("HTTP/1.1 200 Connected\r\n\r\n").await,
        server("HTTP/1.1 403 Forbidden\r\n\r\n").await,
        server("HTTP/1.1 407 Who are you\r\n\r\n").await,
    );
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = gone.local_addr().unwrap();
    drop(gone);
    let built_in = format!(r#"[{{"id": "office", "label": "Office", "url": "http://{open}"}}]"#);
    let world = World::with_outbound("proxies=127.0.0.1", &built_in, "http://127.0.0.1:9/").await;
    let ada = world.tenant("ada").await;
    for (address, error) in
        [(open, json!(null)), (closed, json!("PROVIDER_ERROR")), (strict, json!("AUTH_FAILED")), (nobody, json!("CONNECTION_REFUSED"))]
    {
        let body = json!({"label": "Exit", "url": format!("http://ada:canary@{address}")});
        let id = ada.post("/api/proxies", &body).await.is(201).text_at("/id");
        let tested = ada.send(axum::http::Method::POST, &format!("/api/proxies/{id}/test"), None).await.is(200);
        assert_eq!(tested.at("/error"), error, "{tested}");
        assert_eq!(tested.at("/ok"), error.is_null(), "{tested}");
        assert_eq!(tested.at("/message").is_null(), error.is_null(), "{tested}");
        assert!(tested.at("/latencyMs").is_u64(), "{tested}");
        assert!(!tested.text.contains("canary"), "{tested}");
    }
    let tested = ada.send(axum::http::Method::POST, "/api/proxies/office/test", None).await.is(200);
    assert_eq!(tested.at("/ok"), true, "{tested}");
    assert!(ada.audit().await.iter().any(|row| row.path == "/api/proxies/office/test"));
}

#[tokio::test]
async fn a_name_of_nothing_is_a_dns_error_and_a_foreign_proxy_is_not_there() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let (own, foreign) = (proxy(&ada, "exit").await, proxy(&bob, "foreign").await);
    let test = async |id: &str| ada.send(axum::http::Method::POST, &format!("/api/proxies/{id}/test"), None).await;
    // In this world the test's own target has no address, and is looked up first.
    assert_eq!(test(&own).await.is(200).at("/error"), "DNS_ERROR");
    let hidden = test(&foreign).await.refused(Code::NotFound);
    assert_eq!(test("no-exit").await.refused(Code::NotFound).stable(&["no-exit"]), hidden.stable(&[&foreign]));
}

#[tokio::test]
async fn one_key_is_one_call_until_it_is_cut_off_and_one_row() {
    for world in World::each_with_outbound("proxies=127.0.0.1").await {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ada = world.tenant("ada").await;
        let body = json!({"label": "Exit", "url": format!("http://{}", silent.local_addr().unwrap())});
        let path = format!("/api/proxies/{}/test", ada.post("/api/proxies", &body).await.is(201).text_at("/id"));
        let caller = ada.with("idempotency-key", "k");
        let test = async || caller.send(axum::http::Method::POST, &path, None).await;
        tokio::select! {
            reply = test() => panic!("{reply}"),
            accepted = silent.accept() => drop(accepted.unwrap()),
        }
        let rows = ada.audit().await.len();
        test().await.refused(Code::IdempotencyInProgress);
        world.clock.advance(connect::outbound::PATIENCE * 2);
        drop(silent);
        let tested = test().await.is(200);
        assert_eq!((tested.at("/error"), tested.header("idempotent-replayed")), (json!("CONNECTION_REFUSED"), Some("false")));
        assert_eq!(test().await.is(200).text, tested.text);
        assert_eq!(ada.audit().await.len(), rows + 1);
    }
}
