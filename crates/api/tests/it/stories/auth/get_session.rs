use domain::Code;

use crate::world::World;

#[tokio::test]
async fn the_session_tells_its_user() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let reply = ada.get("/api/auth/get-session").await.is(200);
    assert_eq!(reply.at("/user/email"), "ada@example.com");
    assert_eq!(reply.at("/user/id"), ada.owner.to_string());
    assert_eq!(reply.at("/expiresAt"), "2026-11-28T12:00:00.000Z");
}

#[tokio::test]
async fn nobody_and_keys_have_none() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    world.anonymous().get("/api/auth/get-session").await.refused(Code::Unauthorized);
    ada.full_key().await.get("/api/auth/get-session").await.refused(Code::Forbidden);
}
