use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn name_and_language_change_one_by_one() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let before = ada.get("/api/profile").await.is(200);
    assert_eq!((before.at("/displayName"), before.at("/language")), (json!("ada@example.com"), json!("en")));

    let changed = ada.patch("/api/profile", &json!({"language": "fr"})).await.is(200);
    assert_eq!((changed.at("/displayName"), changed.at("/language")), (json!("ada@example.com"), json!("fr")));
    ada.patch("/api/profile", &json!({"displayName": "Ada Lovelace"})).await.is(200);

    let profile = json!({
        "object": "profile", "id": ada.owner.to_string(), "displayName": "Ada Lovelace", "language": "fr",
        "email": "ada@example.com", "name": "Ada Lovelace"
    });
    assert_eq!(ada.get("/api/profile").await.is(200).json(), profile);
    assert_eq!(ada.get("/api/auth/get-session").await.is(200).at("/user/name"), "Ada Lovelace");
    assert_eq!(ada.patch("/api/profile", &json!({})).await.is(200).json(), profile);
}

#[tokio::test]
async fn a_profile_changes_its_owner_only() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    ada.patch("/api/profile", &json!({"displayName": "Ada", "language": "fr"})).await.is(200);
    let untouched = bob.get("/api/profile").await.is(200);
    assert_eq!((untouched.at("/displayName"), untouched.at("/language")), (json!("bob@example.com"), json!("en")));
}

#[tokio::test]
async fn wrong_values_have_their_pointer() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    for (body, pointer) in [
        (json!({"displayName": ""}), "/displayName"),
        (json!({"displayName": "  "}), "/displayName"),
        (json!({"displayName": "x".repeat(101)}), "/displayName"),
        (json!({"displayName": null}), "/displayName"),
        (json!({"language": "de"}), "/language"),
        (json!({"language": null}), "/language"),
        (json!({"email": "eve@example.com"}), "/email"),
    ] {
        ada.patch("/api/profile", &body).await.invalid_at(pointer);
    }
}
