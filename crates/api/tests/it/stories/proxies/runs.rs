//! Which proxy a run gets: request → installation → organization → server → none.

use domain::Code;
use serde_json::{Value, json};

use super::{BUILT_IN, proxy};
use crate::walk::Stage;
use crate::world::{Actor, World};

/// Starts a run; its proxy's id and label as the run shows them.
async fn started(caller: &Actor<'_>, body: &Value) -> (Value, Value) {
    let run = caller.post("/api/runs", body).await.is(200).text_at("/runId");
    let run = caller.get(&format!("/api/runs/{run}")).await.is(200);
    (run.at("/proxyId"), run.at("/proxyLabel"))
}

fn request(proxy: &str) -> Value {
    json!({"agentId": "@own/helper", "proxyId": proxy})
}

#[tokio::test]
async fn the_nearest_choice_wins_and_none_is_a_choice() {
    let world = World::with_outbound("", BUILT_IN, "https://example.com/").await;
    let stage = Stage::set(&world).await;
    let (ada, key) = (&stage.own, &stage.key);
    let (requested, installed, default) = (proxy(ada, "requested").await, proxy(ada, "installed").await, proxy(ada, "default").await);
    let package = format!("/api/applications/{}/packages/@own/helper", ada.app);
    let plain = json!({"agentId": "@own/helper"});

    assert_eq!(started(key, &plain).await, (json!("us-exit"), json!("America")));
    ada.put("/api/proxies/default", &json!({"proxyId": default})).await.is(200);
    assert_eq!(started(key, &plain).await, (json!(default), json!("default")));
    ada.put(&package, &json!({"proxyId": installed})).await.is(200);
    assert_eq!(started(key, &plain).await, (json!(installed), json!("installed")));
    assert_eq!(started(key, &request(&requested)).await, (json!(requested), json!("requested")));
    assert_eq!(started(key, &request("eu-exit")).await, (json!("eu-exit"), json!("Europe")));
    for body in [request("none"), json!({"agentId": "@own/helper", "proxyId": null})] {
        let expected = if body["proxyId"].is_null() { json!(installed) } else { Value::Null };
        assert_eq!(started(key, &body).await.0, expected);
    }
    ada.put(&package, &json!({"proxyId": "none"})).await.is(200);
    assert_eq!(started(key, &plain).await, (Value::Null, Value::Null));
    ada.put(&package, &json!({"proxyId": null})).await.is(200);
    ada.put("/api/proxies/default", &json!({"proxyId": "none"})).await.is(200);
    assert_eq!(started(key, &plain).await, (Value::Null, Value::Null));

    let run = key.post("/api/agents/@own/helper/run", &json!({"proxyId": requested})).await.is(200).text_at("/runId");
    assert_eq!(key.get(&format!("/api/runs/{run}")).await.is(200).at("/proxyId"), json!(requested));
    let manifest = crate::walk::agent("@own/inline");
    let inline = json!({"manifest": manifest, "prompt": "Be brief.", "proxyId": requested});
    let run = key.post("/api/runs/inline", &inline).await.is(202).text_at("/runId");
    assert_eq!(key.get(&format!("/api/runs/{run}")).await.is(200).at("/proxyId"), json!(requested));
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_refuses_the_run_and_a_foreign_one_reads_like_one_of_nothing() {
    let world = World::with_outbound("", BUILT_IN, "https://example.com/").await;
    let stage = Stage::set(&world).await;
    let (ada, key) = (&stage.own, &stage.key);
    let foreign = proxy(&stage.foreign, "foreign").await;
    let refused = async |body: &Value| key.post("/api/runs", body).await.refused(Code::RunNotReady);

    let hidden = refused(&request(&foreign)).await;
    assert_eq!((hidden.at("/errors/0/pointer"), hidden.at("/errors/0/code")), (json!("/proxyId"), json!("proxy_not_found")));
    for absent in ["prx_01jd9xq3e8f2t8v0k3m5n7p9r1", "no-exit"] {
        assert_eq!(refused(&request(absent)).await.stable(&[]), hidden.stable(&[]));
    }
    key.post("/api/runs", &request("not an id")).await.invalid_at("/proxyId");

    let own = proxy(ada, "exit").await;
    ada.patch(&format!("/api/proxies/{own}"), &json!({"enabled": false})).await.is(200);
    let disabled = refused(&request(&own)).await;
    assert_eq!((disabled.at("/errors/0/pointer"), disabled.at("/errors/0/code")), (json!("/proxyId"), json!("proxy_disabled")));
    ada.put("/api/proxies/default", &json!({"proxyId": own})).await.is(200);
    let disabled = refused(&json!({"agentId": "@own/helper"})).await;
    assert_eq!((disabled.at("/errors/0/pointer"), disabled.at("/errors/0/code")), (json!(""), json!("proxy_disabled")));
    assert_eq!(started(key, &request("none")).await.0, Value::Null, "a request may still choose");
}
