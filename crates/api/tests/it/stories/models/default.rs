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

#[tokio::test]
async fn choices_at_once_follow_each_other() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let model = |at: usize| json!({"label": format!("m{at}"), "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "modelId": "m"});
        let bodies: Vec<_> = (0..8).map(model).collect();
        let created = futures::future::join_all(bodies.iter().map(|body| ada.post("/api/models", body))).await;
        let created: Vec<_> = created.into_iter().map(|reply| reply.is(201)).collect();
        assert_eq!(created.iter().filter(|model| model.at("/isDefault") == true).count(), 1, "one of them was the first");

        let choices: Vec<_> =
            created.iter().map(|model| json!({"modelId": model.text_at("/id")})).chain([json!({"modelId": null})]).collect();
        let chosen = futures::future::join_all(choices.iter().map(|choice| ada.put("/api/models/default", choice))).await;
        for reply in chosen {
            reply.is(200);
        }
        let list = ada.get("/api/models").await.is(200);
        let defaults = list.at("/data").as_array().unwrap().iter().filter(|model| model["isDefault"] == true).count();
        assert!(defaults <= 1, "{list}");
    }
}

#[tokio::test]
async fn the_log_says_what_was_chosen() {
    let world = World::start().await;
    let ada = world.tenant("ada").await;
    let body = json!({"label": "M", "api": "openai-completions", "baseUrl": "https://api.example.com/v1", "modelId": "m"});
    let id = ada.post("/api/models", &body).await.is(201).text_at("/id");
    for (choice, subject) in [(json!(id), Some(id.as_str())), (json!(null), None)] {
        ada.put("/api/models/default", &json!({"modelId": choice})).await.is(200);
        let row = ada.audit().await.remove(0);
        assert_eq!((row.subject.as_deref(), row.detail), (subject, json!({"modelId": choice})));
    }
}
