use domain::{Code, Role};
use serde_json::json;
use store::NewOrganization;

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

#[tokio::test]
async fn a_user_of_very_many_organizations_sees_the_newest_and_pages_through_all() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        for number in 0..102 {
            let write = world.store.system().write(store::WriteContext::internal()).await.unwrap();
            let (slug, settings) = (format!("org{number}"), serde_json::Map::new());
            let new = NewOrganization { name: slug.clone(), slug, settings, owner: ada.owner, application: "Default".to_owned() };
            write.create_organization(new).await.unwrap();
            write.commit().await.unwrap();
            world.clock.advance(std::time::Duration::from_secs(1));
        }
        let actor = ada.without("x-org-id").without("x-app-id");
        let me = actor.get("/api/me").await.is(200);
        assert_eq!(me.at("/organizations").as_array().unwrap().len(), 100);
        assert_eq!(me.at("/organizations/0/slug"), "org101");
        let last = actor.get("/api/me/orgs?page=2&pageSize=100").await.is(200);
        assert_eq!((last.at("/pagination/total"), last.at("/data").as_array().unwrap().len()), (json!(103), 3));
        assert_eq!(last.at("/data/2/slug"), "ada");
    }
}
