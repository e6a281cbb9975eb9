use domain::Code;

use crate::world::World;

#[tokio::test]
async fn a_revoked_key_is_dead_from_the_next_request_on() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let (id, key) = ada.key_of(ada.plan(&["end-users:read"])).await;
    key.get("/api/end-users").await.is(200);

    ada.delete(&format!("/api/api-keys/{id}")).await.is(204);

    key.get("/api/end-users").await.refused(Code::Unauthorized);
    ada.delete(&format!("/api/api-keys/{id}")).await.refused(Code::NotFound);
}

#[tokio::test]
async fn anothers_key_survives_the_attempt() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let (id, key) = bob.key_of(bob.plan(&["end-users:read"])).await;
    ada.delete(&format!("/api/api-keys/{id}")).await.refused(Code::NotFound);
    key.get("/api/end-users").await.is(200);
}
