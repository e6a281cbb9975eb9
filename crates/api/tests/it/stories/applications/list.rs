use domain::Role;

use crate::world::World;

#[tokio::test]
async fn members_see_all_and_a_key_sees_its_own() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    ada.application("Staging").await;
    for role in Role::ALL {
        let list = ada.member(role).await.without("x-app-id").get("/api/applications").await.is(200);
        assert_eq!(list.at("/pagination/total"), 2, "{list}");
        assert!(!list.text.contains(&bob.app.to_string()));
    }
    let grace = ada.end_user("Grace").await;
    for key in [ada.full_key().await, ada.key(&[]).await, ada.full_key().await.as_user(grace)] {
        let list = key.get("/api/applications").await.is(200);
        assert_eq!(list.at("/data/0/id"), ada.app.to_string());
        assert_eq!(list.at("/pagination/total"), 1);
        assert_eq!(key.get("/api/applications?page=2").await.is(200).at("/data"), serde_json::json!([]));
    }
}
