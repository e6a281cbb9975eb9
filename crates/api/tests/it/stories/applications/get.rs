use domain::Code;

use crate::world::World;

#[tokio::test]
async fn a_key_finds_its_own_application_and_no_other() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let sibling = ada.application("Staging").await;
    let key = ada.full_key().await;

    let own = key.get(&format!("/api/applications/{}", ada.app)).await.is(200);
    assert_eq!((own.text_at("/orgId"), own.text_at("/createdBy")), (ada.org.to_string(), ada.owner.to_string()));
    let sibling_reply = key.get(&format!("/api/applications/{sibling}")).await.refused(Code::NotFound);
    let foreign = key.get(&format!("/api/applications/{}", bob.app)).await.refused(Code::NotFound);
    assert_eq!(sibling_reply.stable(&[&sibling.to_string()]), foreign.stable(&[&bob.app.to_string()]));

    ada.get(&format!("/api/applications/{sibling}")).await.is(200);
    ada.get(&format!("/api/applications/{}", bob.app)).await.refused(Code::NotFound);
}
