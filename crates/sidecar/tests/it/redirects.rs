//! Redirects and cookies.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Response;
use net::body;

use crate::upstream::{Upstream, ok, redirect};
use crate::world::{SECRET, Setting, World};

#[tokio::test]
async fn credentials_stay_with_the_first_origin() {
    let back = Arc::new(OnceLock::<String>::new());
    let other = {
        let back = Arc::clone(&back);
        Upstream::start(move |seen| if seen.line.contains("/return") { redirect(307, back.get().expect("set")) } else { ok("other") }).await
    };
    let target = other.url("");
    let home = Upstream::start(move |seen| match seen.line.split_whitespace().nth(1).expect("path") {
        "/same" => redirect(302, "/end"),
        "/away" => redirect(302, &format!("{target}/x")),
        "/round" => redirect(307, &format!("{target}/return")),
        _ => ok("home"),
    })
    .await;
    back.set(home.url("/end")).expect("once");
    let mut setting = Setting::of(&home.url("/*"));
    setting.spec.authorized_uris.push(other.url("/*"));
    let world = World::new(setting).await;
    let more = "X-Key: {{api_key}}\r\nCookie: mine=1\r\n";
    for path in ["/same", "/away", "/round"] {
        assert_eq!(world.call(&home.url(path), more).await.status, 200, "{path}");
    }
    let (home, other) = (home.seen(), other.seen());
    let has = |seen: &crate::upstream::Seen| {
        (!seen.header("authorization").is_empty(), seen.header("x-key") == SECRET, seen.header("cookie") == "mine=1")
    };
    assert_eq!(
        home.iter().map(has).collect::<Vec<_>>(),
        [(true, true, true); 4].into_iter().chain([(false, false, false)]).collect::<Vec<_>>()
    );
    assert_eq!(other.iter().map(has).collect::<Vec<_>>(), [(false, false, false); 2]);
}

#[tokio::test]
async fn every_hop_is_judged() {
    let upstream = Upstream::start(|seen| match seen.line.split_whitespace().nth(1).expect("path") {
        "/api/metadata" => redirect(302, "http://169.254.169.254/latest/"),
        "/api/loopback" => redirect(302, "https://127.0.0.2:1/"),
        "/api/elsewhere" => redirect(302, "https://evil.example/"),
        "/api/up" => redirect(302, "/admin"),
        "/api/loop" => redirect(302, "/api/loop"),
        _ => ok("reached"),
    })
    .await;
    let world = World::new(Setting::of(&upstream.url("/api/*"))).await;
    for path in ["/api/metadata", "/api/loopback", "/api/elsewhere", "/api/up"] {
        let reply = world.call(&upstream.url(path), "").await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "uri_not_authorized"), "{path}");
    }
    let reply = world.call(&upstream.url("/api/loop"), "").await;
    assert_eq!(reply.status, 502);
    assert_eq!(upstream.seen().len(), 4 + 11);

    // Where every URI is allowed, the address rules still hold on each hop.
    let mut setting = Setting::of(&upstream.url("/api/*"));
    setting.spec.allow_all_uris = true;
    setting.allow = format!("providers={}", upstream.address);
    let open = World::new(setting).await;
    for path in ["/api/metadata", "/api/loopback"] {
        let reply = open.call(&upstream.url(path), "").await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "address_refused"), "{path}");
    }
}

#[tokio::test]
async fn a_body_with_credentials_does_not_follow_to_another_origin() {
    let other = Upstream::start(|_| ok("other")).await;
    let target = other.url("/x");
    let home = Upstream::start(move |_| redirect(307, &target)).await;
    let mut setting = Setting::of(&home.url("/*"));
    setting.spec.authorized_uris.push(other.url("/*"));
    let world = World::new(setting).await;
    let headers = format!("X-Provider: shop\r\nX-Target: {}\r\n", home.url("/"));
    let reply = world.raw("POST", &format!("{headers}X-Substitute-Body: 1\r\n"), b"k={{api_key}}").await;
    assert_eq!((reply.status, reply.code().as_str()), (502, "redirect_with_credentials"));
    assert!(other.seen().is_empty());
    assert_eq!(world.raw("POST", &headers, b"plain").await.text(), "other");
    assert_eq!(other.seen()[0].body, "plain");
}

#[tokio::test]
async fn cookies_are_kept_by_the_sidecar_and_expire() {
    let upstream = Upstream::start(|seen| match seen.line.split_whitespace().nth(1).expect("path") {
        "/login" => Response::builder()
            .status(302)
            .header("location", "/home")
            .header("set-cookie", "session=abc; Path=/; Max-Age=60; HttpOnly")
            .header("set-cookie", "deep=1; Path=/deep")
            .body(body::empty())
            .expect("response"),
        _ => ok(seen.header("cookie").to_owned()),
    })
    .await;
    let world = World::new(Setting::of(&upstream.url("/*"))).await;
    let reply = world.call(&upstream.url("/login"), "").await;
    assert_eq!((reply.text().as_str(), reply.header("set-cookie")), ("session=abc", None));
    assert_eq!(world.call(&upstream.url("/deep/x"), "Cookie: own=1\r\n").await.text(), "own=1; deep=1; session=abc");
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(world.call(&upstream.url("/home"), "").await.text(), "");
}
