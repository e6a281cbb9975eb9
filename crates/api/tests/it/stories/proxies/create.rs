use domain::{Code, ProxyId};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_whole_object_comes_back_and_the_password_never_does() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let body = json!({"label": "Frankfurt", "url": "http://ada:s3cr%40t@Proxy.example.com:8080"});
    let created = ada.post("/api/proxies", &body).await.is(201);
    let id: ProxyId = created.text_at("/id").parse().unwrap();
    assert_eq!(
        created.json(),
        json!({
            "object": "proxy", "id": id.to_string(), "label": "Frankfurt", "urlPrefix": "http://ada:***@proxy.example.com:8080",
            "enabled": true, "isDefault": false, "source": "custom", "createdBy": ada.owner.to_string(),
            "createdAt": "2026-11-21T12:00:00.000Z", "updatedAt": "2026-11-21T12:00:00.000Z"
        })
    );
    let path = format!("/api/proxies/{id}");
    assert_eq!(created.header("location"), Some(path.as_str()));
    assert_eq!(ada.get(&path).await.is(200).json(), created.json());

    let read = world.store.read(&ada.scope).await.unwrap();
    let sealed = read.proxies().sealed(id).await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("s3cr"), "sealed");
    drop(read);
    let audit = ada.audit().await;
    assert_eq!((audit[0].permission.as_str(), audit[0].subject.clone()), ("proxies:write", Some(id.to_string())));
    assert_eq!(audit[0].detail, json!({"label": "Frankfurt", "address": "http://ada:***@proxy.example.com:8080"}));
    assert!(!format!("{audit:?}").contains("s3cr"), "{audit:?}");
}

#[tokio::test]
async fn private_and_broken_addresses_are_refused_with_a_pointer_and_repeat_no_credential() {
    let world = World::with_outbound("proxies=10.1.0.0/16:3128", "[]", "https://example.com/").await;
    let ada = world.tenant("ada").await;
    for url in [
        "http://ada:canary@10.0.0.1:8080",
        "http://ada:canary@127.0.0.1",
        "socks5://ada:canary@0x7f.1:1080",
        "https://ada:canary@[::1]",
        "http://ada:canary@169.254.169.254",
        "http://ada:canary@localhost:3128x",
        "http://ada:canary@localhost:8080",
        "http://ada:canary@squid:8080",
        "http://10.1.0.1:8080",
        "ftp://ada:canary@proxy.example.com",
        "socks5h://ada:canary@proxy.example.com",
        "proxy.example.com:8080",
        "http://ada:canary@proxy.example.com/path",
        "http://ada:canary@proxy.example.com?a=b",
        "http://ada:canary@proxy.example.com:0",
        "http://a%3Ab:canary@proxy.example.com",
        "",
    ] {
        let refused = ada.post("/api/proxies", &json!({"label": "Exit", "url": url})).await.invalid_at("/url");
        assert!(!refused.text.contains("canary"), "{refused}");
    }
    let long = format!("http://{}.example.com", "a".repeat(2050));
    ada.post("/api/proxies", &json!({"label": "Exit", "url": long})).await.invalid_at("/url");
    ada.post("/api/proxies", &json!({"label": "", "url": "http://proxy.example.com"})).await.invalid_at("/label");
    ada.post("/api/proxies", &json!({"label": "x".repeat(101), "url": "http://proxy.example.com"})).await.invalid_at("/label");
    ada.post("/api/proxies", &json!({"label": "Exit"})).await.invalid_at("/url");
    assert_eq!(ada.get("/api/proxies").await.is(200).at("/pagination/total"), 0);
    // The operator's exception opens one place.
    ada.post("/api/proxies", &json!({"label": "Office", "url": "http://10.1.0.1:3128"})).await.is(201);
}

#[tokio::test]
async fn only_who_may_write_proxies_stores_one() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let body = json!({"label": "Exit", "url": "http://proxy.example.com"});
    ada.member(domain::Role::Member).await.post("/api/proxies", &body).await.refused(Code::Forbidden);
    ada.key(&["proxies:read"]).await.post("/api/proxies", &body).await.refused(Code::Forbidden);
    ada.key(&["proxies:write"]).await.post("/api/proxies", &body).await.is(201);
}
