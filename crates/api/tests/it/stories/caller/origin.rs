use domain::Code;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn another_sites_form_cannot_use_the_session() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for origin in
        ["https://evil.example", "null", "http://localhost:3001", "https://localhost:3000", "http://localhost:3000.evil.example", ""]
    {
        let foreign = ada.with("origin", origin);
        let reply = foreign.post("/api/end-users", &json!({})).await.refused(Code::Forbidden);
        assert_eq!(reply.at("/param"), "Origin");
        foreign
            .delete(&format!("/api/end-users/{}", ada.end_user(&format!("Eu{}", crate::world::unique())).await))
            .await
            .refused(Code::Forbidden);
        foreign.get("/api/end-users").await.is(200);
    }
    for origin in ["http://localhost:3000", "https://console.example"] {
        ada.with("origin", origin).post("/api/end-users", &json!({})).await.is(201);
    }
    ada.post("/api/end-users", &json!({})).await.is(201);
}

#[tokio::test]
async fn a_key_is_no_browsers_and_may_come_from_anywhere() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    ada.full_key().await.with("origin", "https://evil.example").post("/api/end-users", &json!({})).await.is(201);
}
