use domain::Code;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn an_application_may_have_sizes_of_its_own() {
    // The application is known only once the world stands, so its id is written down before and looked up by a second world.
    let first = World::start().await;
    let ada = first.tenant("ada").await;
    let staging = ada.application("Staging").await;
    let limits: api::RateLimits =
        json!({"read": {"limit": 2}, "applications": {staging.to_string(): {"read": {"limit": 4}}}}).to_string().parse().unwrap();
    let world = first.again(|options| options.rate_limits = limits).await;

    let in_staging = ada.key_of(crate::world::KeyPlan { app: staging, ..ada.plan(&["runs:read"]) }).await.1.on(&world);
    let elsewhere = ada.key(&["runs:read"]).await.on(&world);
    for remaining in (0..4).rev() {
        assert_eq!(in_staging.get("/api/runs").await.is(200).budget().remaining, remaining);
    }
    in_staging.get("/api/runs").await.refused(Code::RateLimited);
    for remaining in (0..2).rev() {
        assert_eq!(elsewhere.get("/api/runs").await.is(200).budget().remaining, remaining);
    }
    elsewhere.get("/api/runs").await.refused(Code::RateLimited);
    // A user has the size of the application that a request is about, and a count for it.
    let owner = ada.on(&world);
    assert_eq!(owner.get("/api/runs").await.is(200).budget().remaining, 1);
    assert_eq!(owner.instead("x-app-id", staging.to_string()).get("/api/runs").await.is(200).budget().remaining, 3);
    assert_eq!(owner.get("/api/runs").await.is(200).budget().remaining, 0);
}
