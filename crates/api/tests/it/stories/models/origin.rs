//! A vendor's key goes to the origin that it was stored for, whoever may point a model elsewhere.

use std::sync::Arc;

use axum::http::Method;
use domain::{Code, ModelId};
use serde_json::{Value, json};
use store::{ModelChange, WriteContext};

use super::test::{Seen, vendor};
use crate::world::{Reply, Tenant, World};

/// A vendor, and a server of somebody who would like the key of another's.
struct Scene {
    world: World,
    vendor: String,
    thief: String,
    stolen: Seen,
}

fn model_at(base_url: &str, key: &Value) -> Value {
    json!({"label": "M", "api": "openai-completions", "baseUrl": base_url, "modelId": "streams", "providerKeyId": key})
}

impl Scene {
    async fn each() -> Vec<Self> {
        let mut scenes = Vec::new();
        for world in World::each_with_outbound("models=127.0.0.1").await {
            let (heard, stolen) = (Seen::default(), Seen::default());
            let (vendor, thief) = (vendor(heard).await, vendor(Arc::clone(&stolen)).await);
            scenes.push(Self { world, vendor: format!("http://{vendor}/v1"), thief: format!("http://{thief}/v1"), stolen });
        }
        scenes
    }

    /// A stored key and a model that uses it: their paths.
    async fn stored(&self, owner: &Tenant<'_>) -> (String, String) {
        let body = json!({"label": "Vendor", "api": "openai-completions", "baseUrl": self.vendor, "apiKey": "k-canary"});
        let key = owner.post("/api/provider-keys", &body).await.is(201);
        let model = owner.post("/api/models", &model_at(&self.vendor, &key.at("/id"))).await.is(201);
        (key.header("location").unwrap().to_owned(), model.header("location").unwrap().to_owned())
    }
}

#[track_caller]
fn refused_at(reply: Reply, pointer: &str) {
    let reply = reply.invalid_at(pointer);
    assert_eq!(reply.at("/errors/0/code"), "other_origin", "{reply}");
}

#[tokio::test]
async fn whoever_may_write_models_cannot_have_a_key_sent_to_themselves() {
    for scene in Scene::each().await {
        let ada = scene.world.tenant("ada").await;
        let (_, model) = scene.stored(&ada).await;
        let thief = ada.key(&["models:read", "models:write"]).await;
        let key = thief.get("/api/models").await.is(200).at("/data/0/providerKeyId");

        refused_at(thief.post("/api/models", &model_at(&scene.thief, &key)).await, "/providerKeyId");
        refused_at(thief.patch(&model, &json!({"baseUrl": scene.thief})).await, "/baseUrl");
        refused_at(thief.patch(&model, &json!({"baseUrl": scene.thief, "providerKeyId": key})).await, "/providerKeyId");
        let own = thief.post("/api/models", &model_at(&scene.thief, &Value::Null)).await.is(201);
        let own = own.header("location").unwrap();
        refused_at(thief.patch(own, &json!({"providerKeyId": key})).await, "/providerKeyId");
        // Another scheme is another origin: what was meant for TLS does not go out in the clear.
        let secure = scene.vendor.replace("http://", "https://");
        refused_at(thief.patch(&model, &json!({"baseUrl": secure})).await, "/baseUrl");
        assert_eq!(thief.send(Method::POST, &format!("{own}/test"), None).await.is(200).at("/ok"), true);

        let path = format!("{}/beta", scene.vendor);
        assert_eq!(thief.patch(&model, &json!({"baseUrl": path})).await.is(200).text_at("/baseUrl"), path, "the same origin");
        assert_eq!(thief.send(Method::POST, &format!("{model}/test"), None).await.is(200).at("/ok"), true);
        thief.patch(&model, &json!({"baseUrl": scene.thief, "providerKeyId": null})).await.is(200);
        refused_at(thief.patch(&model, &json!({"providerKeyId": key})).await, "/providerKeyId");
        thief.patch(&model, &json!({"baseUrl": scene.vendor, "providerKeyId": key})).await.is(200);

        let stolen = format!("{:?}", scene.stolen.lock().unwrap());
        assert!(stolen.contains("chat/completions") && !stolen.contains("canary"), "{stolen}");
    }
}

#[tokio::test]
async fn a_test_asks_again_before_the_secret_leaves() {
    for scene in Scene::each().await {
        let ada = scene.world.tenant("ada").await;
        let (_, model) = scene.stored(&ada).await;
        // A row from before the rule.
        let id: ModelId = model.rsplit('/').next().unwrap().parse().unwrap();
        let write = scene.world.store.write(&ada.scope, WriteContext::internal()).await.unwrap();
        let change = ModelChange { base_url: Some(scene.thief.clone()), ..ModelChange::default() };
        write.models().update(id, change).await.unwrap().unwrap();
        write.commit().await.unwrap();

        let tested = ada.send(Method::POST, &format!("{model}/test"), None).await.is(200);
        assert_eq!((tested.at("/ok"), tested.at("/error")), (json!(false), json!("BLOCKED_URL")), "{tested}");
        assert_eq!(scene.stolen.lock().unwrap().len(), 0, "nobody was called");
        ada.patch(&model, &json!({"label": "Still changeable"})).await.is(200);
    }
}

#[tokio::test]
async fn a_key_moves_with_a_new_secret_and_away_from_no_model() {
    for scene in Scene::each().await {
        let ada = scene.world.tenant("ada").await;
        let (key, model) = scene.stored(&ada).await;
        let refused = ada.patch(&key, &json!({"baseUrl": scene.thief})).await.invalid_at("/apiKey");
        assert_eq!(refused.at("/errors/0/code"), "required", "{refused}");
        let moved = json!({"baseUrl": scene.thief, "apiKey": "k-other"});
        let refused = ada.patch(&key, &moved).await.refused(Code::ModelInUse);
        assert!(refused.text_at("/detail").contains(model.rsplit('/').next().unwrap()), "{refused}");
        assert_eq!(ada.get(&key).await.is(200).text_at("/baseUrl"), scene.vendor, "what was refused has changed nothing");

        ada.patch(&key, &json!({"baseUrl": format!("{}/beta", scene.vendor)})).await.is(200);
        ada.patch(&model, &json!({"providerKeyId": null})).await.is(200);
        assert_eq!(ada.patch(&key, &moved).await.is(200).text_at("/baseUrl"), scene.thief);
        let id = key.rsplit('/').next().unwrap();
        refused_at(ada.patch(&model, &json!({"providerKeyId": id})).await, "/providerKeyId");
        ada.patch(&model, &json!({"baseUrl": scene.thief, "providerKeyId": id})).await.is(200);
    }
}

#[tokio::test]
async fn key_and_model_that_change_at_once_never_part() {
    for scene in Scene::each().await {
        let ada = scene.world.tenant("ada").await;
        for _ in 0..10 {
            let (key, model) = scene.stored(&ada).await;
            let id = key.rsplit('/').next().unwrap();
            ada.patch(&model, &json!({"providerKeyId": null})).await.is(200);
            let (moved, given) = (json!({"baseUrl": scene.thief, "apiKey": "k-other"}), json!({"providerKeyId": id}));
            let (moved, given) = tokio::join!(ada.patch(&key, &moved), ada.patch(&model, &given));
            let outcome = (moved.status, given.status);
            assert!(outcome == (200, 422) || outcome == (409, 200), "{moved} {given}");
        }
    }
}
