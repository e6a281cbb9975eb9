use domain::Code;

use crate::world::World;

#[tokio::test]
async fn a_released_version_is_echoed() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    ada.with("appstrate-version", "2026-03-21").get("/api/end-users").await.is(200);
}

#[tokio::test]
async fn malformed_and_unknown_versions_are_told_apart() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for bad in ["latest", "", "2026-3-21", "2026-03-21T00:00:00Z", "20260321", "2026-03-21, 2026-03-21"] {
        let reply = ada.with("appstrate-version", bad).get("/api/end-users").await.refused(Code::InvalidApiVersion);
        assert_eq!(reply.at("/param"), "Appstrate-Version");
    }
    ada.with("appstrate-version", b"\xff").get("/api/end-users").await.refused(Code::InvalidApiVersion);
    ada.with("appstrate-version", "1999-01-01").get("/api/end-users").await.refused(Code::UnsupportedApiVersion);
    let twice = ada.with("appstrate-version", "2026-03-21").with("appstrate-version", "2026-03-21");
    twice.get("/api/end-users").await.refused(Code::InvalidApiVersion);
    world.anonymous().with("appstrate-version", "1999-01-01").get("/api/orgs").await.refused(Code::UnsupportedApiVersion);
}
