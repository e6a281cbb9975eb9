//! `/proxy`: injection, policy, masking, limits, record.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Response;
use net::body;
use serde_json::Value;
use wire::run_event::RunEvent;

use crate::upstream::{Upstream, endless, ok, piece, with_type};
use crate::world::{SECRET, Setting, World, exchange};

async fn echo() -> Upstream {
    Upstream::start(|seen| {
        let headers: serde_json::Map<String, Value> =
            seen.headers.iter().map(|(name, value)| (name.to_string(), Value::from(value.to_str().unwrap_or_default()))).collect();
        with_type(
            "application/json",
            serde_json::json!({ "line": seen.line, "headers": headers, "body": String::from_utf8_lossy(&seen.body) }).to_string(),
        )
    })
    .await
}

async fn shop(upstream: &Upstream) -> World {
    World::new(Setting::of(&upstream.url("/*"))).await
}

#[tokio::test]
async fn the_sidecar_injects_and_a_reflected_credential_comes_back_masked() {
    let upstream = echo().await;
    let world = shop(&upstream).await;
    let more = "Authorization: Bearer mine\r\nauthorization: Basic also-mine\r\nX-Own: 1\r\nAccept-Encoding: gzip\r\nX-Max-Response-Size: 9999\r\n";
    let reply = world.call(&upstream.url("/v1/me?a=b"), more).await;
    assert_eq!(reply.status, 200);
    let seen = &upstream.seen()[0];
    let sent: Vec<_> = seen.headers.get_all("authorization").iter().collect();
    assert_eq!(sent, [&format!("Bearer {SECRET}")], "the caller's duplicates are dropped");
    assert_eq!(
        (seen.header("x-own"), seen.header("accept-encoding"), seen.header("host")),
        ("1", "identity", upstream.address.to_string().as_str())
    );
    for routing in ["x-provider", "x-target", "x-max-response-size", "x-substitute-body", "connection"] {
        assert!(!seen.headers.contains_key(routing), "{routing}");
    }
    let text = reply.text();
    assert!(text.contains("Bearer [redacted]") && !text.contains("canary"), "{text}");

    let calls = world.provider_calls().await;
    assert_eq!((calls[0].provider.as_str(), calls[0].method.as_str(), calls[0].path.as_str()), ("@acme/shop", "GET", "/v1/me"));
    assert_eq!((calls[0].status, calls[0].bytes_received, calls[0].error.clone()), (Some(200), reply.body.len() as u64, None));
}

#[tokio::test]
async fn every_reflected_form_is_masked_in_body_and_headers() {
    let upstream = Upstream::start(|_| {
        let pair = STANDARD.encode(format!("user:{SECRET}"));
        let text = format!("{SECRET} {pair} {} and on", SECRET.replace('-', "%2D"));
        Response::builder()
            .header("x-echo", format!("you sent {SECRET}"))
            .header("link", "<https://a/>; rel=next")
            .header("set-cookie", "s=1")
            .body(body::full(text))
            .expect("response")
    })
    .await;
    let world = shop(&upstream).await;
    let reply = world.call(&upstream.url("/"), "").await;
    assert_eq!(reply.header("x-echo"), Some("you sent [redacted]"));
    assert_eq!((reply.header("link"), reply.header("set-cookie")), (Some("<https://a/>; rel=next"), None));
    let text = reply.text();
    assert!(text.starts_with("[redacted] ") && !text.contains(SECRET), "{text}");
    assert!(!text.contains(&STANDARD.encode(SECRET)[..12]), "{text}");
}

#[tokio::test]
async fn other_bytes_pass_unchanged_and_keep_their_length() {
    let upstream = Upstream::start(|_| {
        let bytes = [&piece(7)[..10_000], SECRET.as_bytes(), &piece(8)[..10_000]].concat();
        with_type("image/png", bytes)
    })
    .await;
    let world = shop(&upstream).await;
    let reply = world.call(&upstream.url("/"), "").await;
    assert_eq!(reply.header("content-length"), Some((20_000 + SECRET.len()).to_string().as_str()));
    let stars = "*".repeat(SECRET.len());
    assert_eq!(reply.body, [&piece(7)[..10_000], stars.as_bytes(), &piece(8)[..10_000]].concat());
}

#[tokio::test]
async fn a_long_response_is_cut_and_says_so() {
    let upstream = Upstream::start(|seen| match seen.line.as_str() {
        "GET /announced" => ok("x".repeat(60_000)),
        "GET /exact" => ok("x".repeat(50_000)),
        "GET /huge" => endless("text/plain", 40),
        _ => endless("application/octet-stream", 1),
    })
    .await;
    let world = shop(&upstream).await;
    for (path, more, size, truncated) in [
        ("/announced", "", 50_000, true),
        ("/exact", "", 50_000, false),
        ("/announced", "X-Max-Response-Size: 60000\r\n", 60_000, false),
        ("/announced", "X-Max-Response-Size: 10\r\n", 10, true),
        ("/unannounced", "X-Max-Response-Size: 65536\r\n", 65_536, false),
        ("/unannounced", "", 50_000, true),
        ("/huge", "X-Max-Response-Size: 99999999\r\n", 1_000_000, true),
    ] {
        let reply = world.call(&upstream.url(path), more).await;
        assert_eq!((reply.body.len(), reply.header("x-truncated").is_some()), (size, truncated), "{path} {more}");
    }
    for bad in ["x", "-1", "0", "1.5"] {
        let reply = world.call(&upstream.url("/exact"), &format!("X-Max-Response-Size: {bad}\r\n")).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_header"), "{bad}");
    }
}

#[tokio::test]
async fn slots_are_filled_where_declared_and_the_refresh_token_never() {
    let upstream = echo().await;
    let world = shop(&upstream).await;
    let reply = world.call(&upstream.url("/bot{{api_key}}/x?k={{ api_key }}"), "X-Key: key={{api_key}}\r\n").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = &upstream.seen()[0];
    assert_eq!(seen.line, format!("GET /bot{SECRET}/x?k={SECRET}"));
    assert_eq!(seen.header("x-key"), format!("key={SECRET}"));
    assert!(!reply.text().contains("canary"), "{}", reply.text());

    let cases = [
        (upstream.url("/{{refresh_token}}"), String::new()),
        (upstream.url("/"), "X-Key: {{refresh_token}}\r\n".to_owned()),
        (upstream.url("/{{unknown}}"), String::new()),
    ];
    for (target, more) in cases {
        let reply = world.call(&target, &more).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "field_not_usable"), "{target} {more}");
    }
    assert_eq!(upstream.seen().len(), 1, "nothing refused was sent");
    let calls = world.provider_calls().await;
    assert_eq!(calls[0].path, "/bot~api_key~/x");
    assert!(
        calls[1..]
            .iter()
            .all(|call| call.status.is_none() && call.error.as_deref().is_some_and(|text| text.starts_with("field_not_usable")))
    );
    assert!(!format!("{calls:?}").contains("canary"), "{calls:?}");
}

#[tokio::test]
async fn a_body_is_templated_only_on_request() {
    let upstream = echo().await;
    let world = shop(&upstream).await;
    let headers =
        |more: &str| format!("X-Provider: @acme/shop\r\nX-Target: {}\r\nContent-Type: application/json\r\n{more}", upstream.url("/post"));
    let body = br#"{"key":"{{api_key}}"}"#;
    assert_eq!(world.raw("POST", &headers(""), body).await.status, 200);
    assert_eq!(world.raw("POST", &headers("X-Substitute-Body: true\r\n"), body).await.status, 200);
    let refused = world.raw("POST", &headers("X-Substitute-Body: 1\r\n"), b"{{refresh_token}}").await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "field_not_usable"));
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body, body.as_slice());
    assert_eq!(seen[1].body, format!(r#"{{"key":"{SECRET}"}}"#));
    let too_large = world.raw("POST", &headers(""), &vec![b'x'; 5 * 1024 * 1024 + 1]).await;
    assert_eq!((too_large.status, too_large.code().as_str()), (413, "body_too_large"));
}

#[tokio::test]
async fn what_is_not_authorized_is_refused_before_anything_is_sent() {
    let upstream = echo().await;
    let world = World::new(Setting::of(&upstream.url("/api/*"))).await;
    let other = echo().await;
    for (target, status, code) in [
        (upstream.url("/other"), 403, "uri_not_authorized"),
        (upstream.url("/api/../other"), 403, "uri_not_authorized"),
        (upstream.url("/api/..%2fother"), 403, "uri_not_authorized"),
        (other.url("/api/x"), 403, "uri_not_authorized"),
        (format!("http://user@{}/api/x", upstream.address), 400, "invalid_target"),
        (format!("http://{}:{SECRET}@evil.tld/api/x", upstream.address), 400, "invalid_target"),
        ("file:///etc/passwd".to_owned(), 400, "invalid_target"),
        ("nonsense".to_owned(), 400, "invalid_target"),
    ] {
        let reply = world.call(&target, "").await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{target}");
    }
    for (headers, code) in [
        (format!("X-Target: {}\r\n", upstream.url("/api/x")), "invalid_header"),
        ("X-Provider: shop\r\n".to_owned(), "invalid_header"),
        (format!("X-Provider: shop\r\nX-Provider: other\r\nX-Target: {}\r\n", upstream.url("/api/x")), "invalid_header"),
        (format!("X-Provider: gmail\r\nX-Target: {}\r\n", upstream.url("/api/x")), "unknown_provider"),
        (format!("X-Provider: @other/shop\r\nX-Target: {}\r\n", upstream.url("/api/x")), "unknown_provider"),
    ] {
        let reply = world.raw("GET", &headers, b"").await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{headers}");
    }
    let trace = world.raw("TRACE", &format!("X-Provider: shop\r\nX-Target: {}\r\n", upstream.url("/api/x")), b"").await;
    assert_eq!((trace.status, trace.code().as_str()), (400, "method_refused"));
    assert!(upstream.seen().is_empty() && other.seen().is_empty());
    let calls = world.provider_calls().await;
    assert_eq!(calls.len(), 9, "every request that named a provider is on the record");
    assert!(calls.iter().all(|call| call.status.is_none() && call.error.is_some()));
    assert!(!format!("{calls:?}").contains("canary"), "{calls:?}");
}

#[tokio::test]
async fn inner_addresses_are_refused_by_literal_by_name_and_after_dns() {
    let mut setting = Setting::of("https://*.example.com/*");
    setting.spec.allow_all_uris = true;
    setting.allow = String::new();
    setting.names =
        vec![("inside.example.com", "127.0.0.1"), ("meta.example.com", "169.254.169.254"), ("v6.example.com", "::ffff:10.0.0.1")];
    let world = World::new(setting).await;
    for target in [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://metadata.google.internal/",
        "https://inside.example.com/",
        "https://meta.example.com/",
        "https://v6.example.com/",
        "http://public.example.com/",
    ] {
        let reply = world.call(target, "").await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "address_refused"), "{target}");
    }
    let missing = world.call("https://missing.example.com/", "").await;
    assert_eq!((missing.status, missing.code().as_str()), (502, "unreachable"));
    assert_eq!(world.provider_calls().await.len(), 11);
}

#[tokio::test]
async fn headers_cannot_be_split_by_caller_or_credential() {
    let upstream = echo().await;
    let mut setting = Setting::of(&upstream.url("/*"));
    setting.fields = vec![("api_key", "value\r\nX-Evil: 1".to_owned())];
    let world = World::new(setting).await;
    let reply = world.call(&upstream.url("/"), "").await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_header_value"));
    assert!(!reply.text().contains("Evil"));
    let reply = world.call(&upstream.url("/%0d%0aX-Evil:%201"), "").await;
    assert_eq!(reply.code(), "uri_not_authorized", "an encoded line break is no path that a pattern grants");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn an_encoded_answer_cannot_be_checked_and_is_refused() {
    let upstream =
        Upstream::start(|_| Response::builder().header("content-encoding", "gzip").body(body::full("…")).expect("response")).await;
    let world = shop(&upstream).await;
    let reply = world.call(&upstream.url("/"), "").await;
    assert_eq!((reply.status, reply.code().as_str()), (502, "encoded_response"));
}

#[tokio::test]
async fn https_providers_are_reached_by_their_name() {
    let (upstream, root) = Upstream::tls("api.example.com", |seen| ok(format!("hello {}", seen.header("authorization")))).await;
    let port = upstream.address.port();
    let mut setting = Setting::of(&format!("https://*.example.com:{port}/*"));
    setting.names = vec![("api.example.com", "127.0.0.1"), ("other.example.com", "127.0.0.1")];
    setting.roots = vec![root];
    let world = World::new(setting).await;
    let reply = world.call(&format!("https://api.example.com:{port}/"), "").await;
    assert_eq!(reply.text(), "hello Bearer [redacted]");
    let wrong = world.call(&format!("https://other.example.com:{port}/"), "").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (502, "unreachable"), "the certificate is for another name");
}

#[tokio::test]
async fn allow_all_sends_the_credential_home_only() {
    let (home, away) = (echo().await, echo().await);
    let mut setting = Setting::of("https://nothing.example.com/*");
    setting.spec.allow_all_uris = true;
    setting.spec.own_origin = Some(home.url("/base").parse().expect("url"));
    let world = World::new(setting).await;
    assert_eq!(world.call(&home.url("/x"), "").await.status, 200);
    assert_eq!(world.call(&away.url("/x"), "").await.status, 200);
    assert_eq!(home.seen()[0].header("authorization"), format!("Bearer {SECRET}"));
    assert_eq!(away.seen()[0].header("authorization"), "");
    for (target, more) in [(away.url("/{{api_key}}"), ""), (away.url("/"), "X-Key: {{api_key}}\r\n")] {
        let reply = world.call(&target, more).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "credentials_not_for_target"), "{target}");
    }
    assert_eq!(away.seen().len(), 1);
}

#[tokio::test]
async fn health_history_and_unknown_paths_answer_in_json() {
    let world = World::new(Setting::of("https://api.example.com/*")).await;
    let get = async |path: &str| exchange(world.address, format!("GET {path} HTTP/1.1\r\nhost: sidecar\r\n\r\n").as_bytes()).await;
    assert_eq!(get("/health").await.text(), r#"{"status":"ok"}"#);
    let history = get("/run-history?limit=3&fields=state,result").await;
    assert_eq!(history.text(), r#"{"runs":[{"fields":["state","result"],"limit":3}]}"#);
    assert_eq!(get("/run-history").await.status, 200);
    for bad in ["/run-history?limit=0", "/run-history?limit=51", "/run-history?limit=x", "/run-history?fields=secrets"] {
        let reply = get(bad).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_parameter"), "{bad}");
    }
    assert_eq!(get("/llm/v1/chat/completions").await.code(), "not_found");
    assert!(world.events().await.iter().all(|event| !matches!(event, RunEvent::Egress { .. })));
}
