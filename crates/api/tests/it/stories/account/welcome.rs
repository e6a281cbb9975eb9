use axum::http::Method;
use domain::Code;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_new_user_says_how_to_be_called() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let reply = ada.post("/api/welcome/setup", &json!({"displayName": "Ada"})).await.is(200);
    assert_eq!(reply.json(), json!({"object": "welcome", "ok": true, "displayName": "Ada"}));
    assert_eq!(ada.send(Method::POST, "/api/welcome/setup", None).await.is(200).at("/displayName"), "Ada");
    ada.post("/api/welcome/setup", &json!({"displayName": " "})).await.invalid_at("/displayName");
    ada.full_key().await.post("/api/welcome/setup", &json!({"displayName": "Key"})).await.refused(Code::Forbidden);
}
