use std::time::Duration;

use domain::{Code, ProxyId};
use serde_json::json;

use super::{BUILT_IN, proxy};
use crate::world::World;

#[tokio::test]
async fn members_change_one_by_one_and_a_new_address_is_sealed_anew() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let id = proxy(&ada, "exit").await;
    let path = format!("/api/proxies/{id}");
    let sealed = async || {
        let read = world.store.read(&ada.scope).await.unwrap();
        read.proxies().sealed(id.parse::<ProxyId>().unwrap()).await.unwrap().unwrap()
    };
    let before = sealed().await;
    world.clock.advance(Duration::from_secs(5));
    let changed = ada.patch(&path, &json!({"label": "Renamed"})).await.is(200);
    assert_eq!(
        (changed.text_at("/label"), changed.text_at("/urlPrefix")),
        ("Renamed".to_owned(), "http://ada:***@exit.example.com:8080".to_owned())
    );
    assert_eq!(changed.at("/updatedAt"), "2026-11-21T12:00:05.000Z");
    assert_eq!(sealed().await, before);
    let changed = ada.patch(&path, &json!({"url": "socks5://eve:n3w@new.example.com", "enabled": false})).await.is(200);
    assert_eq!((changed.text_at("/urlPrefix"), changed.at("/enabled")), ("socks5://eve:***@new.example.com:1080".to_owned(), json!(false)));
    assert!(!changed.text.contains("n3w"));
    let rows = ada.audit().await;
    let moved = json!({"fields": ["url", "enabled"], "address": "socks5://eve:***@new.example.com:1080", "enabled": false});
    assert_eq!((&rows[0].detail, &rows[1].detail["fields"]), (&moved, &json!(["label"])));
    assert!(!format!("{rows:?}").contains("n3w"));
    assert_ne!(sealed().await, before);
    assert_eq!(ada.patch(&path, &json!({})).await.is(200).text_at("/label"), "Renamed");
    ada.patch(&path, &json!({"url": "http://10.0.0.1"})).await.invalid_at("/url");
    ada.patch(&path, &json!({"label": " "})).await.invalid_at("/label");
    assert_eq!(ada.get(&path).await.is(200).text_at("/urlPrefix"), "socks5://eve:***@new.example.com:1080");
}

#[tokio::test]
async fn built_in_ones_cannot_be_changed_and_foreign_ones_are_not_there() {
    let world = World::with_outbound("", BUILT_IN, "https://example.com/").await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let foreign = proxy(&bob, "foreign").await;
    ada.patch("/api/proxies/eu-exit", &json!({"label": "Mine"})).await.refused(Code::OperationNotAllowed);
    ada.delete("/api/proxies/eu-exit").await.refused(Code::OperationNotAllowed);
    let absent = ada.patch("/api/proxies/no-exit", &json!({"label": "Mine"})).await.refused(Code::NotFound);
    let hidden = ada.patch(&format!("/api/proxies/{foreign}"), &json!({"label": "Mine"})).await.refused(Code::NotFound);
    assert_eq!(absent.stable(&["no-exit"]), hidden.stable(&[&foreign]));
    let inside = json!({"url": "http://10.0.0.1"});
    ada.patch(&format!("/api/proxies/{foreign}"), &inside).await.refused(Code::NotFound);
    ada.patch("/api/proxies/prx_01jd9xq3e8f2t8v0k3m5n7p9r1", &inside).await.refused(Code::NotFound);
    ada.delete(&format!("/api/proxies/{foreign}")).await.refused(Code::NotFound);
    assert_eq!(bob.get(&format!("/api/proxies/{foreign}")).await.is(200).text_at("/label"), "foreign");
}
