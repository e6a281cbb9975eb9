//! The tool `provider_call`.

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Value, json};
use sidecar::provider_call::{Workspace, call};
use wire::hands::{File, ToolOutcome};
use wire::message::Block;

use crate::upstream::{Upstream, endless, ok, piece, with_type};
use crate::world::{SECRET, Setting, World};

/// Keeps files in memory and remembers the largest piece.
#[derive(Default)]
struct Desk(Mutex<Papers>);

#[derive(Default)]
struct Papers {
    files: Vec<(String, Vec<u8>)>,
    largest: usize,
}

#[async_trait]
impl Workspace for Desk {
    async fn put(&self, file: File, append: bool) -> Result<(), String> {
        let mut desk = self.0.lock().expect("desk");
        desk.largest = desk.largest.max(file.content.len());
        if append {
            let last = desk.files.last_mut().expect("a file to append to");
            assert_eq!(last.0, file.path);
            last.1.extend(file.content);
        } else {
            desk.files.push((file.path, file.content));
        }
        Ok(())
    }
}

/// Fails every write, as a sandbox that does not start.
struct NoDesk;

#[async_trait]
impl Workspace for NoDesk {
    async fn put(&self, _: File, _: bool) -> Result<(), String> {
        Err("the sandbox could not be started: no user namespaces".to_owned())
    }
}

fn text(outcome: &ToolOutcome) -> &str {
    match outcome.content.as_slice() {
        [Block::Text { text }] => text,
        other => panic!("one text: {other:?}"),
    }
}

fn ask(url: &str, more: &Value) -> Value {
    let mut arguments = json!({ "provider": "@acme/shop", "url": url });
    arguments.as_object_mut().expect("object").append(&mut more.as_object().expect("object").clone());
    arguments
}

#[tokio::test]
async fn a_small_answer_is_text_and_needs_no_sandbox() {
    let upstream =
        Upstream::start(|seen| with_type("application/json", format!("{{\"echo\":\"{}\"}}", seen.header("authorization")))).await;
    let world = World::new(Setting::of(&upstream.url("/*"))).await;
    let arguments = ask(&upstream.url("/orders"), &json!({ "method": "post", "headers": { "X-A": "1" }, "body": { "total": 3 } }));
    let outcome = call(&world.proxy, &NoDesk, &arguments).await;
    assert!(!outcome.is_error);
    assert_eq!(text(&outcome), "HTTP 200\ncontent-type: application/json\n\n{\"echo\":\"Bearer [redacted]\"}");
    let seen = &upstream.seen()[0];
    assert_eq!((seen.line.as_str(), &seen.body[..]), ("POST /orders", b"{\"total\":3}".as_slice()));
    assert_eq!((seen.header("content-type"), seen.header("x-a")), ("application/json", "1"));
    assert_eq!(seen.header("authorization"), format!("Bearer {SECRET}"));
    assert_eq!(world.provider_calls().await.len(), 1);
}

#[tokio::test]
async fn a_large_answer_is_a_file_with_its_head() {
    let upstream = Upstream::start(|_| ok("é".repeat(30_000))).await;
    let world = World::new(Setting::of(&upstream.url("/*"))).await;
    let desk = Desk::default();
    let outcome = call(&world.proxy, &desk, &ask(&upstream.url("/"), &json!({}))).await;
    let files = desk.0.into_inner().expect("desk").files;
    assert_eq!(files[0].1, "é".repeat(30_000).as_bytes());
    let path = outcome.details.as_ref().expect("details")["file"].as_str().expect("a path").to_owned();
    assert_eq!(path, files[0].0);
    assert!(text(&outcome).contains(&format!("/workspace/{path}")) && text(&outcome).len() < 51_000);
    assert_eq!(path.rsplit_once('.').expect("an ending").1, "txt");
}

#[tokio::test]
async fn fifty_megabytes_go_to_the_file_in_bounded_pieces() {
    let upstream = Upstream::start(|_| endless("application/zip", 800)).await;
    let world = World::new(Setting::of(&upstream.url("/*"))).await;
    let desk = Desk::default();
    let outcome = call(&world.proxy, &desk, &ask(&upstream.url("/"), &json!({}))).await;
    assert!(!outcome.is_error && text(&outcome).contains("not text"), "{}", text(&outcome));
    let Papers { files, largest } = desk.0.into_inner().expect("desk");
    assert!(largest <= 4 * 1024 * 1024, "{largest}");
    for (number, got) in (0..).zip(files[0].1.chunks(65_536)) {
        assert!(got == piece(number), "piece {number} differs");
    }
    assert_eq!(files[0].1.len(), 800 * 65_536);
}

#[tokio::test]
async fn an_answer_beyond_all_bounds_and_one_without_a_workspace_say_so() {
    let upstream = Upstream::start(|seen| endless("application/zip", if seen.line.ends_with("/endless") { u32::MAX } else { 1 })).await;
    let world = World::new(Setting::of(&upstream.url("/*"))).await;
    let outcome = call(&world.proxy, &Desk::default(), &ask(&upstream.url("/endless"), &json!({}))).await;
    assert!(outcome.is_error && text(&outcome).contains("larger than 64 MiB"), "{}", text(&outcome));
    let outcome = call(&world.proxy, &NoDesk, &ask(&upstream.url("/"), &json!({}))).await;
    assert!(outcome.is_error && text(&outcome).contains("no user namespaces"), "{}", text(&outcome));
}

#[tokio::test]
async fn refusals_are_errors_with_a_code_and_without_secrets() {
    let upstream = Upstream::start(|_| ok("no")).await;
    let world = World::new(Setting::of(&upstream.url("/api/*"))).await;
    for (arguments, part) in [
        (json!({}), "provider is required"),
        (json!({ "provider": "shop" }), "url is required"),
        (ask(&upstream.url("/other"), &json!({})), "does not permit this address"),
        (ask(&upstream.url("/api/{{refresh_token}}"), &json!({})), "cannot be used"),
        (ask(&upstream.url("/api/x"), &json!({ "headers": { "X-A": "b\r\nX-Evil: 1" } })), "cannot be sent"),
        (ask(&upstream.url("/api/x"), &json!({ "headers": { "X A": "b" } })), "cannot be sent"),
        (ask(&upstream.url("/api/x"), &json!({ "headers": ["x"] })), "headers is an object"),
        (ask(&upstream.url("/api/x"), &json!({ "method": "G ET" })), "no HTTP method"),
        (json!({ "provider": "gmail", "url": "https://x.example" }), "no provider of this run"),
    ] {
        let outcome = call(&world.proxy, &NoDesk, &arguments).await;
        assert!(outcome.is_error && text(&outcome).contains(part), "{arguments}: {}", text(&outcome));
        assert!(!format!("{outcome:?}").contains("canary"));
    }
    assert!(upstream.seen().is_empty());
}
