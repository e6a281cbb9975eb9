use std::collections::BTreeSet;

use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::world::{Actor, Reply, World};

const LINES: &str = "application/x-ndjson";

fn lines(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.header("content-type"), Some(LINES), "{reply}");
    assert!(reply.text.is_empty() || reply.text.ends_with('\n'), "{reply}");
    reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn reads(caller: &Actor<'_>, count: usize) {
    for _ in 0..count {
        caller.get("/api/end-users").await.is(200);
    }
}

#[tokio::test]
async fn everything_comes_once_and_oldest_first() {
    // Two stretches and a bit.
    const ROWS: usize = 1_003;
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let grace = ada.end_user("Grace").await;
    let key = ada.key(&["end-users:read"]).await.as_user(grace);
    reads(&key, ROWS - 1).await;
    world.seal().await;
    world.clock.advance(std::time::Duration::from_secs(1));
    reads(&key, 1).await;
    reads(&bob.key(&["end-users:read"]).await.as_user(bob.end_user("Foreign").await), 1).await;

    let rows = lines(&ada.get("/api/audit-log?format=jsonl").await.is(200));
    assert_eq!(rows.len(), ROWS);
    assert!(rows.iter().all(|row| row["organizationId"] == json!(ada.org) && row["object"] == "audit_entry"));
    let ids: BTreeSet<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), ROWS, "each row once");
    assert!(rows.is_sorted_by_key(|row| row["createdAt"].as_str().unwrap()));
    let (sealed, open): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["seal"].is_u64());
    assert_eq!((sealed.len(), open.len(), &open[0]["seal"]), (ROWS - 1, 1, &Value::Null));
    let positions: BTreeSet<_> = sealed.iter().map(|row| row["position"].as_u64().unwrap()).collect();
    assert_eq!((positions.first(), positions.last(), positions.len()), (Some(&1), Some(&(ROWS as u64 - 1)), ROWS - 1));
}

#[tokio::test]
async fn filters_hold_and_accept_asks_for_lines_too() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let grace = ada.end_user("Grace").await;
        let (_, key) = ada.key_of(ada.plan(&["end-users:read", "end-users:write"])).await;
        reads(&key.as_user(grace), 2).await;
        key.post("/api/end-users", &json!({"name": "Eve"})).await.is(201);

        let by_accept = ada.with("accept", "text/html, application/x-ndjson;q=0.9");
        assert_eq!(lines(&by_accept.get("/api/audit-log").await.is(200)).len(), 3);
        assert_eq!(lines(&by_accept.get("/api/audit-log?method=POST").await.is(200)).len(), 1);
        assert_eq!(lines(&ada.get("/api/audit-log?format=jsonl&endUserId=eu_01jd9xq3e8f2t8v0k3m5n7p9r1").await.is(200)), [] as [Value; 0]);
        // What is asked for by name goes before what is accepted.
        assert_eq!(by_accept.get("/api/audit-log?format=json").await.is(200).at("/object"), "list");
        assert_eq!(lines(&by_accept.without("x-app-id").get("/api/audit-log").await.is(200)), [] as [Value; 0], "the organization's own");
    }
}

#[tokio::test]
async fn a_long_export_breaks_off_when_its_caller_may_no_longer_read() {
    // One stretch and a bit, twice.
    const ROWS: usize = 502;
    let world = World::with(|options| options.streams.reauthorize_every = std::time::Duration::ZERO).await;
    let ada = world.tenant("ada").await;
    let grace = ada.end_user("Grace").await;
    reads(&ada.key(&["end-users:read"]).await.as_user(grace), ROWS).await;

    let (id, reader) = ada.key_of(ada.plan(&["audit-log:read"])).await;
    let (mut ends, mut goes_on) = (reader.pieces(EXPORT).await, ada.pieces(EXPORT).await);
    let first = [ends.next().await.unwrap().unwrap(), goes_on.next().await.unwrap().unwrap()];
    assert_eq!(first.map(|piece| count(&piece)), [500, 500]);
    ada.revoke(id).await;
    assert!(ends.next().await.unwrap().is_err(), "the transport says that something is missing");
    assert_eq!(count(&goes_on.next().await.unwrap().unwrap()), 2);
    assert!(goes_on.next().await.is_none());
}

fn count(piece: &[u8]) -> usize {
    std::str::from_utf8(piece).unwrap().lines().count()
}

const EXPORT: &str = "/api/audit-log?format=jsonl";
