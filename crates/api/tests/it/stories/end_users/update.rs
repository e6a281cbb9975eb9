use domain::Code;
use serde_json::{Map, Value, json};

use crate::world::World;

#[tokio::test]
async fn missing_members_stay_null_clears_and_metadata_is_merged() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await;
    let path = format!("/api/end-users/{}", ada.end_user("Grace").await);
    world.clock.advance(std::time::Duration::from_secs(5));

    let changed = key.patch(&path, &json!({"email": null, "metadata": {"plan": "pro"}})).await.is(200);

    assert_eq!((changed.at("/name"), changed.at("/email")), (json!("Grace"), Value::Null));
    assert_eq!(changed.at("/metadata"), json!({"note": "Grace", "plan": "pro"}));
    assert_eq!(
        (changed.at("/createdAt"), changed.at("/updatedAt")),
        (json!("2026-11-21T12:00:00.000Z"), json!("2026-11-21T12:00:05.000Z"))
    );
    let changed = key.patch(&path, &json!({"metadata": {"plan": null}})).await.is(200);
    assert_eq!(changed.at("/metadata"), json!({"note": "Grace"}));
    assert_eq!(key.get(&path).await.is(200).json(), changed.json());
}

#[tokio::test]
async fn merging_does_not_grow_past_the_limit_and_collisions_change_nothing() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let key = ada.full_key().await;
    let path = format!("/api/end-users/{}", ada.end_user("Grace").await);
    ada.end_user("Alan").await;
    let many: Map<String, Value> = (0..50).map(|at| (format!("k{at}"), json!(at))).collect();
    key.patch(&path, &json!({"metadata": many})).await.invalid_at("/metadata");
    key.patch(&path, &json!({"name": "Lost", "email": "alan@customer.example"})).await.refused(Code::EmailTaken);
    key.patch(&path, &json!({"name": "Lost", "externalId": "Alan"})).await.refused(Code::ExternalIdTaken);
    let after = key.get(&path).await.is(200);
    assert_eq!((after.at("/name"), after.at("/metadata")), (json!("Grace"), json!({"note": "Grace"})));
}

#[tokio::test]
async fn changes_at_once_are_all_kept() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let key = ada.full_key().await;
        let path = format!("/api/end-users/{}", ada.end_user("Grace").await);
        // Every other one says nothing of the metadata, and must not write what it has read of it.
        let change = |at: usize| {
            if at.is_multiple_of(2) { json!({"metadata": {format!("k{at}"): at}}) } else { json!({"name": format!("Grace {at}")}) }
        };
        let bodies: Vec<_> = (0..32).map(change).collect();
        for reply in futures::future::join_all(bodies.iter().map(|body| key.patch(&path, body))).await {
            reply.is(200);
        }
        let mut expected = Map::from_iter([("note".to_owned(), json!("Grace"))]);
        expected.extend((0..32).step_by(2).map(|at| (format!("k{at}"), json!(at))));
        assert_eq!(key.get(&path).await.is(200).at("/metadata"), Value::Object(expected));
    }
}
