use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use net::redirect::{Hop, Hops, MAX_REDIRECTS, Outgoing, follow};
use net::{Error, Purpose, Response, Timeouts};
use url::Url;

use crate::server::{Server, client, ok, redirect};

/// Adds a credential where the origin is still the first, and remembers the hops.
#[derive(Default)]
struct Journey(Vec<String>);

impl Hops for Journey {
    type Error = Error;

    fn before(&mut self, hop: Hop, request: &Outgoing, headers: &mut HeaderMap) -> Result<(), Error> {
        self.0.push(format!("{} {} {}", hop.number, request.method, request.url.path()));
        if hop.same_origin {
            headers.insert("x-api-key", HeaderValue::from_static("secret"));
        }
        Ok(())
    }

    fn after(&mut self, _: &Url, _: &Response) {}
}

fn post(url: Url) -> Outgoing {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer mine"));
    Outgoing { method: Method::POST, url, headers, body: Bytes::from("payload"), timeouts: Timeouts::default() }
}

#[tokio::test]
async fn methods_and_bodies_follow_the_status() {
    let server = Server::plain(|path| match path {
        "/found" => redirect(302, "/end"),
        "/other" => redirect(303, "end"),
        "/again" => redirect(307, "/end"),
        _ => ok("end"),
    })
    .await;
    let client = client(&format!("all={}", server.address), &[], Vec::new());
    for (path, expected) in [("/found", "GET /end"), ("/other", "GET /end"), ("/again", "POST /end")] {
        let (url, response) = follow(&client, Purpose::Providers, post(server.url(path)), &mut Journey::default()).await.expect("followed");
        assert_eq!((response.status.as_u16(), url.path()), (200, "/end"));
        let last = server.seen().pop().expect("a request");
        assert_eq!(last.line, expected, "{path}");
        assert_eq!(last.body.is_empty(), expected.starts_with("GET"), "{path}");
        assert_eq!(last.headers.contains_key(CONTENT_TYPE), expected.starts_with("POST"), "{path}");
        assert_eq!(last.headers["authorization"], "Bearer mine", "the origin is the same");
        assert_eq!(last.headers["x-api-key"], "secret");
    }
}

#[tokio::test]
async fn credentials_do_not_cross_an_origin_and_do_not_come_back() {
    static OTHER: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    static HOME: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let other = Server::plain(|_| redirect(307, HOME.get().expect("set"))).await;
    let home = Server::plain(|path| if path == "/start" { redirect(307, OTHER.get().expect("set")) } else { ok("home") }).await;
    OTHER.set(other.url("/").to_string()).expect("once");
    HOME.set(home.url("/end").to_string()).expect("once");
    let client = client("all=127.0.0.0/8", &[], Vec::new());
    follow(&client, Purpose::Providers, post(home.url("/start")), &mut Journey::default()).await.expect("followed");
    assert_eq!(home.seen()[0].headers["x-api-key"], "secret");
    for seen in [&other.seen()[0], &home.seen()[1]] {
        assert!(!seen.headers.contains_key("authorization") && !seen.headers.contains_key("x-api-key"), "{seen:?}");
        assert_eq!(seen.body, "payload");
    }
}

#[tokio::test]
async fn a_redirect_inside_is_refused_and_a_loop_ends() {
    let server = Server::plain(|path| match path {
        "/metadata" => redirect(302, "http://169.254.169.254/latest/meta-data/"),
        "/loopback" => redirect(302, "//127.0.0.1:1/"),
        "/file" => redirect(302, "file:///etc/passwd"),
        "/broken" => redirect(302, "http://"),
        _ => redirect(302, "/loop"),
    })
    .await;
    let client = client(&format!("all={}", server.address), &[], Vec::new());
    for path in ["/metadata", "/loopback", "/file"] {
        let error = follow(&client, Purpose::Providers, post(server.url(path)), &mut Journey::default()).await.expect_err("refused");
        assert!(error.is_refusal(), "{path}: {error}");
    }
    let error = follow(&client, Purpose::Providers, post(server.url("/broken")), &mut Journey::default()).await.expect_err("broken");
    assert!(matches!(error, Error::InvalidRedirect), "{error}");
    let mut journey = Journey::default();
    let error = follow(&client, Purpose::Providers, post(server.url("/loop")), &mut journey).await.expect_err("loop");
    assert!(matches!(error, Error::TooManyRedirects { limit: MAX_REDIRECTS }), "{error}");
    assert_eq!(u32::try_from(journey.0.len()), Ok(MAX_REDIRECTS + 1));
}
