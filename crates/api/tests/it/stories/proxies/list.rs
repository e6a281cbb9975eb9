use serde_json::{Value, json};

use super::{BUILT_IN, proxy};
use crate::world::World;

#[tokio::test]
async fn own_proxies_come_first_and_the_pages_go_on_into_the_built_in_ones() {
    let world = World::with_outbound("", BUILT_IN, "https://example.com/").await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let mut own = Vec::new();
    for label in ["one", "two", "three"] {
        own.push(proxy(&ada, label).await);
    }
    own.reverse();
    let expected: Vec<String> = own.iter().cloned().chain(["eu-exit".to_owned(), "us-exit".to_owned()]).collect();
    for size in 1..=6 {
        let mut seen = Vec::new();
        for page in 1..=7 {
            let list = ada.get(&format!("/api/proxies?page={page}&pageSize={size}")).await.is(200);
            assert_eq!(list.at("/pagination/total"), 5, "{list}");
            let Value::Array(rows) = list.at("/data") else { panic!("{list}") };
            assert!(rows.len() <= size);
            seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        }
        assert_eq!(seen, expected, "pages of {size}");
    }
    let foreign = bob.get("/api/proxies").await.is(200);
    assert_eq!(foreign.at("/pagination/total"), 2, "{foreign}");
    assert_eq!(
        foreign.at("/data/1"),
        json!({
            "object": "proxy", "id": "us-exit", "label": "America", "urlPrefix": "socks5://us.example.com:1080", "enabled": true,
            "isDefault": true, "source": "built-in", "createdBy": null, "createdAt": null, "updatedAt": null
        })
    );
    assert_eq!(foreign.at("/data/0/urlPrefix"), "http://op:***@eu.example.com:80");
    assert!(!foreign.text.contains("secret"), "{foreign}");
    assert_eq!(bob.get("/api/proxies/us-exit").await.is(200).json(), foreign.at("/data/1"));
    // An end-user may see which ones there are.
    let grace = ada.end_user("Grace").await;
    assert_eq!(ada.full_key().await.as_user(grace).get("/api/proxies").await.is(200).at("/pagination/total"), 5);
}
