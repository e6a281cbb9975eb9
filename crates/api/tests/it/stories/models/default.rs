use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn one_model_is_the_default_or_none() {
    let world = World::start().await;
    let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
    let model = |name: &str| json!({"label": name, "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "modelId": name});
    let first = ada.post("/api/models", &model("first")).await.is(201).text_at("/id");
    let second = ada.post("/api/models", &model("second")).await.is(201).text_at("/id");
    let foreign = bob.post("/api/models", &model("foreign")).await.is(201).text_at("/id");
    let is_default = async |id: &str| ada.get(&format!("/api/models/{id}")).await.is(200).at("/isDefault") == true;
    assert!(is_default(&first).await && !is_default(&second).await);
    let reply = ada.put("/api/models/default", &json!({"modelId": second})).await.is(200);
    assert_eq!(reply.json(), json!({"modelId": second}));
    assert!(!is_default(&first).await && is_default(&second).await);

    let hidden = ada.put("/api/models/default", &json!({"modelId": foreign})).await.invalid_at("/modelId");
    let absent = ada.put("/api/models/default", &json!({"modelId": "mod_01jd9xq3e8f2t8v0k3m5n7p9r1"})).await.invalid_at("/modelId");
    assert_eq!(hidden.stable(&[]), absent.stable(&[]));
    ada.put("/api/models/default", &json!({})).await.invalid_at("/modelId");
    assert!(is_default(&second).await, "what was refused has changed nothing");

    for _ in 0..2 {
        ada.put("/api/models/default", &json!({"modelId": null})).await.is(200);
        assert!(!is_default(&first).await && !is_default(&second).await);
    }
    assert_eq!(bob.get(&format!("/api/models/{foreign}")).await.is(200).at("/isDefault"), true);
}
