use domain::{Code, Role};

use crate::world::World;

#[tokio::test]
async fn every_member_and_key_reads_its_organization() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let path = format!("/api/orgs/{}", ada.org);
    for role in Role::ALL {
        assert_eq!(ada.member(role).await.get(&path).await.is(200).at("/role"), role.as_str());
    }
    assert_eq!(ada.full_key().await.get(&path).await.is(200).at("/slug"), "ada");
}

#[tokio::test]
async fn anothers_organization_reads_as_missing() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let path = format!("/api/orgs/{}", bob.org);
    ada.get(&path).await.refused(Code::NotFound);
    ada.full_key().await.get(&path).await.refused(Code::NotFound);
}
