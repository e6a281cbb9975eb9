//! `:8081`: the agent's own HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wire::run_event::RunEvent;
use wire::run_spec::Egress;

use crate::upstream::{ConnectProxy, Upstream, counted, ok, piece, redirect};
use crate::world::{Setting, World, exchange};

fn events(all: Vec<RunEvent>) -> Vec<(String, u16, bool)> {
    let mut found: Vec<_> = all
        .into_iter()
        .filter_map(|event| if let RunEvent::Egress { host, port, allowed, .. } = event { Some((host, port, allowed)) } else { None })
        .collect();
    found.sort();
    found
}

fn absolute(url: &str) -> Vec<u8> {
    format!("GET {url} HTTP/1.1\r\nhost: ignored\r\nproxy-authorization: Basic x\r\nproxy-connection: keep-alive\r\n\r\n").into_bytes()
}

async fn connect(world: &World, target: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(world.forward).await.expect("connects");
    stream.write_all(format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n").as_bytes()).await.expect("writes");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    (stream, String::from_utf8(head).expect("text"))
}

#[tokio::test]
async fn absolute_requests_pass_without_credentials_and_redirects_come_back() {
    let upstream =
        Upstream::start(|seen| if seen.line.ends_with("/go") { redirect(302, "/there") } else { ok(seen.header("host").to_owned()) }).await;
    let world = World::new(Setting::of("https://api.example.com/*")).await;
    let reply = exchange(world.forward, &absolute(&upstream.url("/a?b=c"))).await;
    assert_eq!((reply.status, reply.text()), (200, upstream.address.to_string()));
    let seen = upstream.seen();
    assert_eq!(seen[0].line, "GET /a?b=c");
    assert!(["proxy-authorization", "proxy-connection", "authorization"].iter().all(|name| !seen[0].headers.contains_key(*name)));
    let reply = exchange(world.forward, &absolute(&upstream.url("/go"))).await;
    assert_eq!((reply.status, reply.header("location")), (302, Some("/there")));
    let recorded = world.events().await;
    let RunEvent::Egress { bytes_received, .. } = &recorded[0] else { panic!("an egress event: {recorded:?}") };
    assert_eq!(*bytes_received, upstream.address.to_string().len() as u64);
}

#[tokio::test]
async fn the_sidecar_speaks_tls_for_absolute_https() {
    let (upstream, root) = Upstream::tls("api.example.com", |_| ok("over tls")).await;
    let port = upstream.address.port();
    let mut setting = Setting::of("https://api.example.com/*");
    setting.names = vec![("api.example.com", "127.0.0.1")];
    setting.allow = format!("agents=api.example.com:{port}");
    setting.roots = vec![root];
    let world = World::new(setting).await;
    let reply = exchange(world.forward, &absolute(&format!("https://api.example.com:{port}/x"))).await;
    assert_eq!(reply.text(), "over tls");
}

/// Returns once the number stands still.
async fn settled(number: &AtomicU32) -> u32 {
    let mut last = number.load(Ordering::Relaxed);
    let mut still = 0;
    while still < 5_000 {
        tokio::task::yield_now().await;
        let now = number.load(Ordering::Relaxed);
        still = if now == last { still + 1 } else { 0 };
        last = now;
    }
    last
}

const PIECES: u32 = 1_000;

/// Asks for [`PIECES`] pieces, looks how many are taken while nobody reads, then reads and compares them.
async fn read_slowly(mut stream: TcpStream, target: &str, made: &AtomicU32) {
    stream.write_all(format!("GET {target} HTTP/1.0\r\nhost: x\r\n\r\n").as_bytes()).await.expect("writes");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    // What has been made lies in the sockets' buffers; the proxy holds no more than a piece.
    let ahead = settled(made).await;
    assert!(ahead < PIECES * 7 / 10, "{ahead} of {PIECES} pieces were taken without a reader");
    for number in 0..PIECES {
        let mut got = vec![0; 65_536];
        stream.read_exact(&mut got).await.expect("a piece");
        assert!(got == piece(number), "piece {number} differs");
    }
    assert_eq!(stream.read(&mut [0; 1]).await.expect("end"), 0);
}

#[tokio::test]
async fn fifty_megabytes_pass_unchanged_and_no_faster_than_they_are_read() {
    let made = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&made);
    let upstream = Upstream::start(move |_| {
        counter.store(0, Ordering::Relaxed);
        counted("application/octet-stream", PIECES, Arc::clone(&counter))
    })
    .await;
    let world = World::new(Setting::of("https://api.example.com/*")).await;
    let (tunnel, head) = connect(&world, &upstream.address.to_string()).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    read_slowly(tunnel, "/", &made).await;
    let plain = TcpStream::connect(world.forward).await.expect("connects");
    read_slowly(plain, &upstream.url("/"), &made).await;
}

#[tokio::test]
async fn ports_and_inner_addresses_are_refused() {
    let mut setting = Setting::of("https://api.example.com/*");
    setting.allow = String::new();
    setting.names = vec![("rebound.example.com", "127.0.0.1"), ("public.example.com", "192.168.0.1")];
    let world = World::new(setting).await;
    for (target, code) in [
        ("example.com:22", "port_refused"),
        ("example.com:8443", "port_refused"),
        ("127.0.0.1:443", "address_refused"),
        ("[::1]:443", "address_refused"),
        ("169.254.169.254:80", "address_refused"),
        ("sidecar:80", "address_refused"),
        ("localhost:443", "address_refused"),
        ("rebound.example.com:443", "address_refused"),
        ("public.example.com:443", "address_refused"),
    ] {
        let reply = exchange(world.forward, format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n").as_bytes()).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, code), "CONNECT {target}");
        if !target.ends_with("22") {
            let reply = exchange(world.forward, &absolute(&format!("http://{target}/"))).await;
            assert_eq!((reply.status, reply.code().as_str()), (403, code), "GET http://{target}/");
        }
    }
    let reply = exchange(world.forward, b"GET /path HTTP/1.1\r\nhost: sidecar:8081\r\n\r\n").await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "not_a_proxy_request"));
    let reply = exchange(world.forward, &absolute("ftp://example.com/")).await;
    assert!(reply.status == 400 || reply.status == 403, "{reply:?}");
    let recorded = events(world.events().await);
    assert!(recorded.iter().all(|(_, _, allowed)| !allowed), "{recorded:?}");
    assert!(recorded.contains(&("example.com".to_owned(), 22, false)), "{recorded:?}");
}

#[tokio::test]
async fn a_policy_of_providers_opens_their_addresses_and_no_other() {
    let upstream = Upstream::start(|_| ok("yes")).await;
    let other = Upstream::start(|_| ok("no")).await;
    let mut setting = Setting::of(&upstream.url("/api/*"));
    setting.egress = Egress::Providers;
    let world = World::new(setting).await;
    assert_eq!(exchange(world.forward, &absolute(&upstream.url("/api/x"))).await.text(), "yes");
    for url in [upstream.url("/other"), other.url("/api/x")] {
        let reply = exchange(world.forward, &absolute(&url)).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "egress_refused"), "{url}");
    }
    let (_, head) = connect(&world, &upstream.address.to_string()).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (_, head) = connect(&world, &other.address.to_string()).await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_policy_of_hosts_compares_labels() {
    let upstream = Upstream::start(|_| ok("yes")).await;
    let port = upstream.address.port();
    let mut setting = Setting::of("https://api.example.com/*");
    setting.egress = Egress::List { hosts: vec!["*.good.example".to_owned(), "exact.example".to_owned()] };
    setting.names = vec![
        ("a.b.good.example", "127.0.0.1"),
        ("exact.example", "127.0.0.1"),
        ("good.example", "127.0.0.1"),
        ("evilgood.example", "127.0.0.1"),
    ];
    setting.allow =
        ["a.b.good.example", "exact.example", "good.example", "evilgood.example"].map(|host| format!("agents={host}:{port}")).join(",");
    let world = World::new(setting).await;
    for (host, status) in [("a.b.good.example", 200), ("exact.example", 200), ("good.example", 403), ("evilgood.example", 403)] {
        let reply = exchange(world.forward, &absolute(&format!("http://{host}:{port}/"))).await;
        assert_eq!(reply.status, status, "{host}");
    }
    let recorded = events(world.events().await);
    assert_eq!(recorded.iter().filter(|(_, _, allowed)| *allowed).count(), 2, "{recorded:?}");
}

#[tokio::test]
async fn a_tunnel_ends_with_either_side_and_is_counted() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("accepts");
        let mut got = [0; 5];
        socket.read_exact(&mut got).await.expect("reads");
        socket.write_all(b"pong pong").await.expect("writes");
    });
    let world = Arc::new(World::new(Setting::of("https://api.example.com/*")).await);
    let (mut stream, _) = connect(&world, &address.to_string()).await;
    stream.write_all(b"ping!").await.expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("reads to the end");
    assert_eq!(answer, "pong pong");
    drop(stream);
    let recorded = world.events().await;
    let expected = RunEvent::Egress { host: "127.0.0.1".to_owned(), port: address.port(), allowed: true, bytes_sent: 5, bytes_received: 9 };
    assert_eq!(recorded, [expected]);
}

#[tokio::test]
async fn the_end_of_the_run_ends_its_tunnels_and_records_them() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("address");
    let world = World::new(Setting::of("https://api.example.com/*")).await;
    let (mut stream, _) = connect(&world, &address.to_string()).await;
    world.stop.cancel();
    let recorded = world.events().await;
    assert_eq!(events(recorded), [("127.0.0.1".to_owned(), address.port(), true)]);
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0, "the tunnel is closed");
}

#[tokio::test]
async fn absolute_requests_and_tunnels_go_through_the_runs_proxy_under_the_same_policy() {
    let upstream = Upstream::start(|_| ok("hello")).await;
    let exit = ConnectProxy::start().await;
    let mut setting = Setting::of("https://api.example.com/*");
    setting.allow = format!("agents={},proxies=127.0.0.1", upstream.address);
    setting.proxy = Some(exit.url());
    let world = World::new(setting).await;
    let reply = exchange(world.forward, &absolute(&upstream.url("/a"))).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
    let (mut stream, head) = connect(&world, &upstream.address.to_string()).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("reads");
    assert!(answer.ends_with("hello"), "{answer}");
    let refused = exchange(world.forward, &absolute("http://169.254.169.254/latest")).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "address_refused"));
    let target = upstream.address.to_string();
    assert_eq!(exit.asked(), [target.clone(), target]);
    let seen = &upstream.seen()[0];
    assert!(!seen.headers.contains_key("proxy-authorization"), "{seen:?}");
}
