use domain::{Code, EndUserId};
use serde_json::{Map, Value, json};

use crate::world::World;

#[tokio::test]
async fn the_whole_object_comes_back() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let body = json!({"name": "Grace Hopper", "email": "Grace@Customer.example", "externalId": "customer-42", "metadata": {"plan": "pro", "seats": 3, "trial": false, "note": null}});

    let created = ada.full_key().await.post("/api/end-users", &body).await.is(201);

    let id: EndUserId = created.text_at("/id").parse().unwrap();
    assert_eq!(
        created.json(),
        json!({
            "object": "end_user", "id": id.to_string(), "applicationId": ada.app.to_string(), "name": "Grace Hopper",
            "email": "grace@customer.example", "externalId": "customer-42",
            "metadata": {"note": null, "plan": "pro", "seats": 3, "trial": false},
            "createdAt": "2026-11-21T12:00:00.000Z", "updatedAt": "2026-11-21T12:00:00.000Z"
        })
    );
    assert_eq!(created.header("location"), Some(format!("/api/end-users/{id}").as_str()));
    assert_eq!(ada.get(&format!("/api/end-users/{id}")).await.is(200).json(), created.json());
}

#[tokio::test]
async fn email_and_external_id_are_unique_in_one_application_only() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let body = json!({"email": "grace@customer.example", "externalId": "42"});
    let (key, other) = (ada.full_key().await, bob.full_key().await);
    key.post("/api/end-users", &body).await.is(201);
    other.post("/api/end-users", &body).await.is(201);
    let staging = ada.application("Staging").await;
    ada.instead("x-app-id", staging.to_string()).post("/api/end-users", &body).await.is(201);

    let reply = key.post("/api/end-users", &json!({"email": "GRACE@customer.example"})).await.refused(Code::EmailTaken);
    assert_eq!(reply.at("/param"), "email");
    let reply = key.post("/api/end-users", &json!({"externalId": "42"})).await.refused(Code::ExternalIdTaken);
    assert_eq!(reply.at("/param"), "externalId");
    key.post("/api/end-users", &json!({})).await.is(201);
    key.post("/api/end-users", &json!({})).await.is(201);
}

#[tokio::test]
async fn metadata_is_flat_and_bounded() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    let keys = |count: usize| (0..count).map(|at| (format!("k{at}"), json!(at))).collect::<Map<String, Value>>();
    key.post("/api/end-users", &json!({"metadata": keys(50)})).await.is(201);
    key.post("/api/end-users", &json!({"metadata": keys(51)})).await.invalid_at("/metadata");
    let many: Map<String, Value> = (0..10_000).map(|at| (format!("k{at}"), json!([]))).collect();
    let refused = key.post("/api/end-users", &json!({"metadata": many})).await.invalid_at("/metadata");
    assert_eq!(refused.at("/errors").as_array().unwrap().len(), 1, "what is too many is not told one by one");
    key.post("/api/end-users", &json!({"metadata": {"a/b~c": [1]}})).await.invalid_at("/metadata/a~1b~0c");
    key.post("/api/end-users", &json!({"metadata": {"nested": {"a": 1}}})).await.invalid_at("/metadata/nested");
    key.post("/api/end-users", &json!({"metadata": {"text": "x".repeat(501)}})).await.invalid_at("/metadata/text");
    key.post("/api/end-users", &json!({"metadata": {"text": "ü".repeat(500)}})).await.is(201);
    key.post("/api/end-users", &json!({"metadata": {"": 1}})).await.invalid_at("/metadata/");
    key.post("/api/end-users", &json!({"metadata": {"k".repeat(41): 1}})).await.is(422);
    key.post("/api/end-users", &json!({"metadata": {"nul": "a\0b"}})).await.invalid_at("/metadata/nul");
    key.post("/api/end-users", &json!({"metadata": [1]})).await.invalid_at("/metadata");
}

#[tokio::test]
async fn texts_of_every_script_survive_and_hostile_ones_are_only_texts() {
    let world = World::start().await;
    let key = world.tenant("ada").await.full_key().await;
    for name in [
        "Grace 日本語 Ω",
        "👩‍👩‍👧‍👦",
        "e\u{301}",
        "\u{202e}abc",
        "'; DROP TABLE end_users; --",
        "<script>alert(1)</script>",
        "%00%s%n",
        "\u{feff}x",
    ] {
        let created = key.post("/api/end-users", &json!({"name": name, "externalId": name})).await.is(201);
        let found = key.get(&format!("/api/end-users/{}", created.text_at("/id"))).await.is(200);
        assert_eq!((found.at("/name"), found.at("/externalId")), (json!(name), json!(name)));
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("externalId", name).finish();
        let list = key.get(&format!("/api/end-users?{query}")).await.is(200);
        assert_eq!(list.at("/data/0/id"), created.at("/id"), "{list}");
    }
}
