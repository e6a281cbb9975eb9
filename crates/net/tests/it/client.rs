use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Version};
use net::{Error, Purpose, Request, Timeouts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use crate::server::{Server, client, ok};

fn get(url: &str) -> Request {
    Request::new(Method::GET, url.parse::<Url>().expect("url"))
}

#[tokio::test]
async fn an_exception_opens_loopback_for_its_purpose() {
    let server = Server::plain(|_| ok("hello")).await;
    let client = client(&format!("providers={}", server.address), &[], Vec::new());
    let request = Request::new(Method::POST, server.url("/a?b=1#fragment"))
        .header("x-test", HeaderValue::from_static("1"))
        .header("host", HeaderValue::from_static("evil.example"))
        .header("connection", HeaderValue::from_static("x-test"))
        .body("body");
    let response = client.send(Purpose::Providers, request).await.expect("sent");
    assert_eq!(response.bytes(100).await.expect("body"), "hello");
    let seen = server.seen();
    assert_eq!((seen[0].line.as_str(), &seen[0].body), ("POST /a?b=1", &Bytes::from("body")));
    assert_eq!(seen[0].headers["host"], server.address.to_string());
    assert_eq!(seen[0].headers["x-test"], "1");

    let refused = client.send(Purpose::Webhooks, Request::new(Method::GET, server.url("/"))).await.expect_err("other purpose");
    assert!(refused.is_refusal(), "{refused}");
    assert_eq!(server.seen().len(), 1, "nothing was sent");
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_after_dns() {
    let server = Server::plain(|_| ok("hello")).await;
    let names: &[(&str, &[&str])] = &[
        ("inside.example.com", &["127.0.0.1"]),
        ("metadata.example.com", &["169.254.169.254"]),
        ("mapped.example.com", &["::ffff:10.0.0.1"]),
        ("empty.example.com", &[]),
    ];
    let client = client("", names, Vec::new());
    for host in ["inside", "metadata", "mapped"] {
        let error = client.send(Purpose::Agents, get(&format!("http://{host}.example.com/"))).await.expect_err("refused");
        assert!(error.is_refusal(), "{host}: {error}");
        assert!(!error.to_string().contains("127."), "{error}");
        let error = client.connect_tcp(Purpose::Agents, &format!("{host}.example.com"), 443).await.expect_err("refused");
        assert!(error.is_refusal(), "{host}: {error}");
    }
    for host in ["empty", "missing"] {
        let error = client.send(Purpose::Agents, get(&format!("http://{host}.example.com/"))).await.expect_err("not found");
        assert!(matches!(error, Error::Resolve { .. }), "{error}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn only_checked_addresses_of_a_mixed_answer_are_tried() {
    let server = Server::plain(|_| ok("hello")).await;
    let port = server.address.port();
    // The name leads to a private address, which is skipped, and to a listed one.
    let client = client(&format!("providers=127.0.0.1:{port}"), &[("mixed.example.com", &["10.255.255.1", "127.0.0.1"])], Vec::new());
    let response = client.send(Purpose::Providers, get(&format!("http://mixed.example.com:{port}/"))).await.expect("sent");
    assert_eq!(response.status, 200);
    assert_eq!(server.seen()[0].headers["host"], format!("mixed.example.com:{port}"), "the name stays the host");
}

#[tokio::test]
async fn tls_speaks_http2_checks_the_name_and_needs_a_known_root() {
    let (server, root) = Server::tls("api.example.com", |_| ok("secure")).await;
    let port = server.address.port();
    let names: &[(&str, &[&str])] = &[("api.example.com", &["127.0.0.1"]), ("other.example.com", &["127.0.0.1"])];
    let allow = format!("providers=127.0.0.1:{port}");

    let trusting = client(&allow, names, vec![root]);
    let response = trusting.send(Purpose::Providers, get(&format!("https://api.example.com:{port}/"))).await.expect("sent");
    assert_eq!(response.bytes(100).await.expect("body"), "secure");
    assert_eq!(server.seen()[0].version, Version::HTTP_2);
    let error = trusting.send(Purpose::Providers, get(&format!("https://other.example.com:{port}/"))).await.expect_err("wrong name");
    assert!(matches!(error, Error::Tls { .. }), "{error}");

    let strict = client(&allow, names, Vec::new());
    let error = strict.send(Purpose::Providers, get(&format!("https://api.example.com:{port}/"))).await.expect_err("unknown root");
    assert!(matches!(error, Error::Tls { .. }), "{error}");
}

#[tokio::test]
async fn a_large_body_stops_at_the_limit_and_streams_unchanged_below_it() {
    let server = Server::plain(|_| ok(vec![b'x'; 5_000_000])).await;
    let client = client(&format!("all={}", server.address), &[], Vec::new());
    let response = client.send(Purpose::Models, Request::new(Method::GET, server.url("/"))).await.expect("sent");
    assert!(matches!(response.bytes(1000).await, Err(Error::TooLarge { limit: 1000 })));
    let response = client.send(Purpose::Models, Request::new(Method::GET, server.url("/"))).await.expect("sent");
    assert_eq!(response.bytes(5_000_000).await.expect("fits").len(), 5_000_000);
}

/// A server that says only as much as `head`, then holds the connection.
async fn stalled(head: &'static str) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("accepts");
        let mut request = [0; 1024];
        let length = socket.read(&mut request).await.expect("reads");
        assert!(length > 0);
        socket.write_all(head.as_bytes()).await.expect("writes");
        // Until the client gives up.
        while socket.read(&mut request).await.is_ok_and(|length| length > 0) {}
    });
    address
}

#[tokio::test]
async fn silence_before_the_head_and_in_the_body_ends_in_its_own_error() {
    let timeouts = Timeouts { response: Some(Duration::from_millis(50)), idle: Some(Duration::from_millis(50)) };
    let address = stalled("").await;
    let request = get(&format!("http://{address}/")).timeouts(timeouts);
    let error = client(&format!("all={address}"), &[], Vec::new()).send(Purpose::Models, request).await.expect_err("silent");
    assert!(matches!(error, Error::ResponseTimeout), "{error}");

    let address = stalled("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let request = get(&format!("http://{address}/")).timeouts(timeouts);
    let response = client(&format!("all={address}"), &[], Vec::new()).send(Purpose::Models, request).await.expect("head");
    let error = response.bytes(100).await.expect_err("stalled");
    assert!(matches!(error, Error::IdleTimeout), "{error}");
}

#[tokio::test]
async fn a_closed_port_is_a_connect_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("address");
    drop(listener);
    let error = client(&format!("all={address}"), &[], Vec::new())
        .send(Purpose::Models, get(&format!("http://{address}/")))
        .await
        .expect_err("closed");
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert!(error.is_before_send());
}

#[tokio::test]
async fn a_tunnel_carries_bytes() {
    let server = Server::plain(|_| ok("hello")).await;
    let client = client(&format!("agents={}", server.address), &[], Vec::new());
    let mut stream = client.connect_tcp(Purpose::Agents, "127.0.0.1", server.address.port()).await.expect("connects");
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("reads");
    assert!(answer.ends_with("hello"), "{answer}");
}
