use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_user_sees_its_own_organizations_newest_first() {
    let world = World::start().await;
    let (ada, _bob) = (world.tenant("ada").await, world.tenant("bob").await);
    world.clock.advance(std::time::Duration::from_secs(1));
    ada.post("/api/orgs", &json!({"name": "Second"})).await.is(201);

    let list = ada.get("/api/orgs").await.is(200);

    assert_eq!(list.at("/object"), "list");
    assert_eq!(list.at("/pagination/total"), 2);
    assert_eq!((list.at("/data/0/slug"), list.at("/data/1/slug")), (json!("second"), json!("ada")));
    let second = ada.get("/api/orgs?page=2&pageSize=1").await.is(200);
    assert_eq!(second.at("/data/0/slug"), "ada");
    assert_eq!(second.header("link"), Some("</api/orgs?page=1&pageSize=1>; rel=\"prev\""));
}
