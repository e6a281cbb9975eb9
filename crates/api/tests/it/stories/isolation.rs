//! Two end-users of one application never see each other, on every engine.

use axum::http::Method;
use domain::Code;
use serde_json::Value;

use crate::walk::{Kind, Stage, Target};
use crate::world::{Actor, World};

#[tokio::test]
async fn siblings_never_cross() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let key = ada.full_key().await;
        let (grace, alan) = (ada.end_user("Grace").await, ada.end_user("Alan").await);
        for (own, other, canary) in [(grace, alan, "Alan"), (alan, grace, "Grace")] {
            let caller = key.as_user(own);
            let list = caller.get("/api/end-users").await.is(200);
            assert_eq!(list.at("/pagination/total"), 1);
            assert_eq!(list.at("/data/0/id"), own.to_string());
            assert!(!list.text.contains(canary), "{list}");
            for query in [format!("externalId={canary}"), format!("email={canary}%40customer.example")] {
                let found = caller.get(&format!("/api/end-users?{query}")).await.is(200);
                assert_eq!(found.at("/pagination/total"), 0, "{found}");
            }
            let missing = caller.get(&format!("/api/end-users/{other}")).await.refused(Code::NotFound);
            let absent = caller.get("/api/end-users/eu_01jd9xq3e8f2t8v0k3m5n7p9r1").await.refused(Code::NotFound);
            assert_eq!(missing.stable(&[&other.to_string()]), absent.stable(&["eu_01jd9xq3e8f2t8v0k3m5n7p9r1"]));
        }
        assert_eq!(key.get("/api/end-users").await.is(200).at("/pagination/total"), 2);
    }
}

/// The ids on the first page of a list.
async fn ids(caller: &Actor<'_>, path: &str) -> Vec<String> {
    let list = caller.get(path).await.is(200);
    let Value::Array(rows) = list.at("/data") else { panic!("{list}") };
    assert_eq!(list.at("/pagination/total"), rows.len(), "{list}");
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn runs_logs_memories_connections_and_streams_never_cross() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let (grace, alan) = (stage.key.as_user(stage.grace), stage.key.as_user(stage.alan));
        let memories = "/api/agents/@own/helper/memories";
        for kind in [Kind::Run, Kind::Memory, Kind::Connection] {
            let hers = kind.make(&stage, Target::Own).await;
            let his = kind.make(&stage, Target::SiblingEndUser).await;
            let list = match kind {
                Kind::Run => "/api/runs",
                Kind::Memory => memories,
                _ => "/api/connections",
            };
            for (caller, own, other) in [(&grace, &hers, &his), (&alan, &his, &hers)] {
                let seen = ids(caller, list).await;
                assert!(seen.contains(&own.id) && !seen.contains(&other.id), "{kind:?}: {seen:?}");
                for (method, path) in match kind {
                    Kind::Run => vec![
                        (Method::GET, format!("/api/runs/{}", other.id)),
                        (Method::GET, format!("/api/runs/{}/logs", other.id)),
                        (Method::GET, format!("/api/realtime/runs/{}", other.id)),
                        (Method::POST, format!("/api/runs/{}/cancel", other.id)),
                    ],
                    Kind::Memory => vec![(Method::DELETE, format!("{memories}/{}", other.id))],
                    _ => vec![(Method::DELETE, format!("/api/connections/{}", other.id))],
                } {
                    caller.send(method, &path, None).await.refused(Code::NotFound);
                }
            }
            // What was refused has changed nothing.
            assert!(ids(&grace, list).await.contains(&hers.id) && ids(&alan, list).await.contains(&his.id), "{kind:?}");
        }
        let hers = Kind::Run.make(&stage, Target::Own).await;
        assert_eq!(grace.get(&format!("/api/runs/{}", hers.id)).await.is(200).at("/status"), "pending");
        assert_eq!(grace.get(&format!("/api/runs/{}", hers.id)).await.at("/endUserId"), stage.grace.to_string());
    }
}
