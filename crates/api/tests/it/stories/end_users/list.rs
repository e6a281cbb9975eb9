use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn newest_first_and_filtered_by_the_two_unique_fields() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for name in ["One", "Two", "Three"] {
        world.clock.advance(std::time::Duration::from_millis(1));
        ada.end_user(name).await;
    }
    let key = ada.full_key().await;
    let list = key.get("/api/end-users").await.is(200);
    let names: Vec<_> = list.at("/data").as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["Three", "Two", "One"]);
    assert_eq!(key.get("/api/end-users?externalId=Two").await.is(200).at("/pagination/total"), 1);
    assert_eq!(key.get("/api/end-users?email=TWO%40customer.example").await.is(200).at("/data/0/name"), "Two");
    assert_eq!(key.get("/api/end-users?externalId=Four").await.is(200).at("/data"), json!([]));
    key.get("/api/end-users?externalId=a&externalId=b").await.invalid_at("/externalId");
    key.get("/api/end-users?externalId=%00").await.invalid_at("/externalId");
    key.get(&format!("/api/end-users?email={}", "a".repeat(321))).await.invalid_at("/email");
}
