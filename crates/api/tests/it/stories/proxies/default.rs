use serde_json::{Value, json};

use super::{BUILT_IN, proxy};
use crate::world::{Actor, World};

/// The ids that the list marks as the default.
async fn defaults(caller: &Actor<'_>) -> Vec<String> {
    let list = caller.get("/api/proxies").await.is(200);
    let Value::Array(rows) = list.at("/data") else { panic!("{list}") };
    rows.iter().filter(|row| row["isDefault"] == true).map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_own_one_a_built_in_one_none_or_the_servers() {
    let world = World::with_outbound("", BUILT_IN, "https://example.com/").await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let own = proxy(&ada, "exit").await;
    assert_eq!(defaults(&ada).await, ["us-exit"]);
    for (choice, expected) in [
        (json!(own), vec![own.clone()]),
        (json!("eu-exit"), vec!["eu-exit".to_owned()]),
        (json!("none"), vec![]),
        (json!(null), vec!["us-exit".to_owned()]),
    ] {
        let reply = ada.put("/api/proxies/default", &json!({"proxyId": choice})).await.is(200);
        assert_eq!(reply.json(), json!({"proxyId": choice}));
        assert_eq!(defaults(&ada).await, expected);
        assert_eq!(defaults(&bob).await, ["us-exit"], "another organization's is its own");
    }
}

#[tokio::test]
async fn a_foreign_proxy_reads_like_one_of_nothing() {
    let world = World::with_outbound("", BUILT_IN, "https://example.com/").await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let foreign = proxy(&bob, "foreign").await;
    let absent = "prx_01jd9xq3e8f2t8v0k3m5n7p9r1";
    let put = async |id: &str| ada.put("/api/proxies/default", &json!({"proxyId": id})).await.invalid_at("/proxyId");
    let hidden = put(&foreign).await;
    for other in [absent, "no-exit"] {
        assert_eq!(put(other).await.stable(&[]), hidden.stable(&[]));
    }
    put("not an id").await;
    ada.put("/api/proxies/default", &json!({})).await.invalid_at("/proxyId");
    assert_eq!(defaults(&ada).await, ["us-exit"], "what was refused has changed nothing");
}

#[tokio::test]
async fn choices_at_once_follow_each_other() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let mut choices = vec![json!({"proxyId": null}), json!({"proxyId": "none"})];
        for label in ["a", "b", "c", "d"] {
            choices.push(json!({"proxyId": proxy(&ada, label).await}));
        }
        // The first choice has no row to wait on, the others have one.
        for _ in 0..2 {
            let chosen = futures::future::join_all(choices.iter().map(|choice| ada.put("/api/proxies/default", choice))).await;
            for reply in chosen {
                reply.is(200);
            }
            assert!(defaults(&ada).await.len() <= 1);
            ada.put("/api/proxies/default", &choices[2]).await.is(200);
        }
    }
}

#[tokio::test]
async fn the_log_says_what_was_chosen() {
    let world = World::with_outbound("", BUILT_IN, "https://example.com/").await;
    let ada = world.tenant("ada").await;
    let own = proxy(&ada, "exit").await;
    for (choice, subject) in
        [(json!(own), Some(own.as_str())), (json!("eu-exit"), Some("eu-exit")), (json!("none"), Some("none")), (json!(null), None)]
    {
        ada.put("/api/proxies/default", &json!({"proxyId": choice})).await.is(200);
        let row = ada.audit().await.remove(0);
        assert_eq!((row.subject.as_deref(), row.detail), (subject, json!({"proxyId": choice})));
    }
}
