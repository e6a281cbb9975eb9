use serde_json::{Value, json};

use crate::walk::{Stage, agent};
use crate::world::World;

#[tokio::test]
async fn each_entry_has_its_own_package_and_pin() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let ada = &stage.own;
        let packages = format!("/api/applications/{}/packages", ada.app);
        for (name, pinned) in [("@own/one", true), ("@own/two", false), ("@own/three", true)] {
            for version in ["1.0.0", "1.1.0"] {
                let mut manifest = agent(name);
                manifest["version"] = json!(version);
                ada.post("/api/packages/agents", &json!({"manifest": manifest, "content": "Be brief."})).await.is(201);
            }
            ada.post(&packages, &json!({"packageId": name})).await.is(201);
            if pinned {
                ada.put(&format!("{packages}/{name}"), &json!({"version": "1.0.0"})).await.is(200);
            }
        }
        let list = ada.get(&packages).await.is(200);
        let Value::Array(entries) = list.at("/data") else { panic!("{list}") };
        let told: Vec<_> = entries.iter().map(|entry| (entry["packageId"].as_str().unwrap(), entry["version"].as_str())).collect();
        let expected = [("@own/two", None), ("@own/three", Some("1.0.0")), ("@own/one", Some("1.0.0")), ("@own/helper", None)];
        assert!(expected.iter().all(|entry| told.contains(entry)) && told.len() == expected.len(), "{told:?}");
        for entry in &entries {
            let path = format!("{packages}/{}", entry["packageId"].as_str().unwrap());
            assert_eq!(ada.get(&path).await.is(200).json(), *entry, "as it reads by itself");
        }
    }
}
