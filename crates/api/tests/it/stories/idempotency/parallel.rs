//! A thousand requests with one key: one effect.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use serde_json::json;

use crate::world::World;

const REQUESTS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_requests_have_one_effect() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let key = ada.full_key().await.with("idempotency-key", "k");
        let body = json!({"name": "Grace"});
        let requests = (0..REQUESTS).map(|_| key.post("/api/end-users", &body));
        // All at once; on PostgreSQL they share a handful of connections.
        let replies: Vec<_> = futures::stream::iter(requests).buffer_unordered(REQUESTS).collect().await;
        let (mut fresh, mut replayed, mut refused) = (0, 0, 0);
        let mut bodies = BTreeSet::new();
        for reply in replies {
            match (reply.status, reply.header("idempotent-replayed")) {
                (201, Some("false")) => fresh += 1,
                (201, Some("true")) => replayed += 1,
                (409, Some("false")) => refused += 1,
                _ => panic!("{reply}"),
            }
            if reply.status == 201 {
                bodies.insert(reply.text);
            }
        }
        println!("{fresh} fresh, {replayed} replayed, {refused} refused");
        assert_eq!((fresh, bodies.len(), fresh + replayed + refused), (1, 1, REQUESTS));
        assert_eq!(ada.get("/api/end-users").await.at("/pagination/total"), 1);
        let last = key.post("/api/end-users", &body).await.is(201);
        assert!(bodies.contains(&last.text));
        assert_eq!(ada.audit().await.len(), 1, "one row for the one change");
    }
}
