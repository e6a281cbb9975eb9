use domain::{Code, Role};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_user_sees_itself_and_its_organizations_with_its_roles() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    world.tenant("eve").await;
    let write = world.store.write(&bob.scope, store::WriteContext::internal()).await.unwrap();
    write.members().add(ada.owner, Role::Viewer).await.unwrap();
    write.commit().await.unwrap();
    let actor = ada.without("x-org-id").without("x-app-id");

    let me = actor.get("/api/me").await.is(200);

    assert_eq!((me.at("/object"), me.at("/user/email"), me.at("/language")), (json!("me"), json!("ada@example.com"), json!("en")));
    let list = actor.get("/api/me/orgs").await.is(200);
    assert_eq!(list.at("/pagination/total"), 2);
    assert_eq!(list.at("/data"), me.at("/organizations"));
    let mut roles: Vec<_> = list.at("/data").as_array().unwrap().iter().map(|org| (org["slug"].clone(), org["role"].clone())).collect();
    roles.sort_by_key(|(slug, _)| slug.to_string());
    assert_eq!(roles, [(json!("ada"), json!("owner")), (json!("bob"), json!("viewer"))]);
}

#[tokio::test]
async fn a_key_is_nobody() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    for path in ["/api/me", "/api/me/orgs", "/api/profile"] {
        key.get(path).await.refused(Code::Forbidden);
        world.anonymous().get(path).await.refused(Code::Unauthorized);
    }
}
