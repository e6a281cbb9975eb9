use domain::Code;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_panic_is_a_problem_and_leaves_nothing_behind() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let key = ada.full_key().await;
        // The first id of a request is its own, the second the new row's.
        world.ids.trip_after(1);
        let reply = key.post("/api/end-users", &json!({"name": "Grace"})).await.refused(Code::InternalError);
        assert!(!reply.text.contains("asked for"), "{reply}");
        assert_eq!(key.get("/api/end-users").await.is(200).at("/pagination/total"), 0);
        key.post("/api/end-users", &json!({"name": "Grace"})).await.is(201);
    }
}

#[tokio::test]
async fn a_closed_database_is_a_503_with_a_time_to_retry() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await;
    world.store.close().await.unwrap();
    for reply in [key.get("/api/end-users").await, ada.get("/api/orgs").await, key.post("/api/end-users", &json!({})).await] {
        let reply = reply.refused(Code::Unavailable);
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
    let health = world.anonymous().get("/health").await.is(503);
    assert_eq!(health.at("/status"), "unhealthy");
}
