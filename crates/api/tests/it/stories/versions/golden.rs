//! Whole conversations under each version, as files: what a client of that version sends and gets must not change.
//!
//! Ids are replaced by their prefixes. A difference is a breaking change, unless it only adds; then accept it with
//! `INSTA_UPDATE=always cargo nextest run -p api -E 'test(golden)'`.

use std::fmt::Write as _;

use axum::http::Method;
use serde_json::{Value, json};

use crate::walk::Stage;
use crate::world::{Actor, Reply, World};

/// Headers that a client of a version may rely on.
const SHOWN: [&str; 6] = ["appstrate-version", "content-type", "location", "link", "idempotent-replayed", "retry-after"];

/// The text with `[run]` for a run's id and `[req]` for a request's.
fn without_ids(text: &str) -> String {
    let mut plain = String::new();
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    for word in text.split_inclusive(|letter: char| !is_part(letter)) {
        let (id, end) = word.split_at(word.find(|letter| !is_part(letter)).unwrap_or(word.len()));
        match id.split_once('_') {
            Some((prefix, rest)) if rest.len() == 26 => write!(plain, "[{prefix}]{end}").unwrap(),
            _ => plain.push_str(word),
        }
    }
    plain
}

fn pretty(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| serde_json::to_string_pretty(&value).unwrap())
}

/// A conversation as it is written down.
#[derive(Default)]
struct Script(String);

impl Script {
    async fn play(&mut self, caller: &Actor<'_>, (method, path, body): (Method, &str, Option<Value>)) -> Reply {
        let reply = caller.send(method.clone(), path, body.as_ref()).await;
        writeln!(self.0, "> {method} {path}").unwrap();
        if let Some(body) = body {
            writeln!(self.0, "{body}").unwrap();
        }
        writeln!(self.0, "< {}", reply.status).unwrap();
        for name in SHOWN {
            if let Some(value) = reply.header(name) {
                writeln!(self.0, "{name}: {value}").unwrap();
            }
        }
        writeln!(self.0, "{}\n", pretty(&reply.text)).unwrap();
        reply
    }
}

async fn conversation(version: &str) -> String {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let caller = &stage.key.with("appstrate-version", version);
    let mut script = Script::default();
    let started = script.play(caller, (Method::POST, "/api/agents/@own/helper/run", Some(json!({})))).await;
    let run = started.at("/runId").as_str().map_or_else(|| started.text_at("/id"), ToOwned::to_owned);
    script.play(caller, (Method::GET, &format!("/api/runs/{run}"), None)).await;
    let keyed = caller.with("idempotency-key", "k");
    for _ in 0..2 {
        script.play(&keyed, (Method::POST, "/api/runs", Some(json!({"agentId": "@own/helper"})))).await;
    }
    script.play(&keyed, (Method::POST, "/api/runs", Some(json!({"agentId": "@own/other"})))).await;
    script.play(caller, (Method::GET, "/api/runs?pageSize=1", None)).await;
    script.play(caller, (Method::POST, &format!("/api/runs/{run}/cancel"), None)).await;
    script.play(caller, (Method::GET, &format!("/api/realtime/runs/{run}"), None)).await;
    script.play(caller, (Method::POST, "/api/end-users", Some(json!({"name": "Eve", "externalId": "eve-1"})))).await;
    script.play(caller, (Method::POST, "/api/end-users", Some(json!({"name": ""})))).await;
    script.play(caller, (Method::GET, "/api/end-users/nonsense", None)).await;
    script.play(&world.anonymous().with("appstrate-version", version), (Method::GET, "/api/runs", None)).await;
    without_ids(&script.0)
}

#[tokio::test]
async fn golden_2026_03_21() {
    insta::assert_snapshot!("2026-03-21", conversation("2026-03-21").await);
}

#[tokio::test]
async fn golden_2026_11_21() {
    insta::assert_snapshot!("2026-11-21", conversation("2026-11-21").await);
}
