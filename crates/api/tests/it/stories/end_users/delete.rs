use domain::Code;

use crate::world::World;

#[tokio::test]
async fn gone_at_once_and_missing_the_second_time() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await;
    let grace = ada.end_user("Grace").await;
    let path = format!("/api/end-users/{grace}");
    key.as_user(grace).get(&path).await.is(200);

    key.delete(&path).await.is(204);

    key.delete(&path).await.refused(Code::NotFound);
    key.get(&path).await.refused(Code::NotFound);
    key.as_user(grace).get(&path).await.refused(Code::InvalidEndUser);
    assert_eq!(key.get("/api/end-users").await.is(200).at("/pagination/total"), 0);
}

#[tokio::test]
async fn anothers_end_user_survives_the_attempt() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let path = format!("/api/end-users/{}", bob.end_user("Foreign").await);
    ada.full_key().await.delete(&path).await.refused(Code::NotFound);
    bob.get(&path).await.is(200);
}
