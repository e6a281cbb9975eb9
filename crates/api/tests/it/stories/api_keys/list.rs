use crate::world::{KeyPlan, World};

#[tokio::test]
async fn one_application_lists_its_own_keys_revoked_ones_too() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let (own, _) = ada.key_of(ada.plan(&["runs:read"])).await;
    let staging = ada.application("Staging").await;
    let (sibling, _) = ada.key_of(KeyPlan { app: staging, ..ada.plan(&[]) }).await;
    let (foreign, _) = bob.key_of(bob.plan(&[])).await;
    ada.revoke(own).await;

    let list = ada.get("/api/api-keys").await.is(200);

    assert_eq!(list.at("/pagination/total"), 1);
    assert_eq!(list.at("/data/0/id"), own.to_string());
    assert_eq!(list.at("/data/0/revokedAt"), "2026-11-21T12:00:00.000Z");
    assert!(!list.text.contains(&sibling.to_string()) && !list.text.contains(&foreign.to_string()));
}

#[tokio::test]
async fn the_last_use_is_shown_after_a_flush() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    ada.key(&["runs:read"]).await.get("/api/applications").await.is(200);
    world.store.flush().await.unwrap();
    assert_eq!(ada.get("/api/api-keys").await.is(200).at("/data/0/lastUsedAt"), "2026-11-21T12:00:00.000Z");
}
