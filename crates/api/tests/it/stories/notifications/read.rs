use axum::http::Method;
use domain::Code;
use serde_json::json;

use crate::stories::realtime::{carry_out, start};
use crate::walk::Stage;
use crate::world::{Actor, Reply, World};

async fn read(caller: &Actor<'_>, run: &str) -> Reply {
    caller.send(Method::PUT, &format!("/api/notifications/read/{run}"), None).await
}

async fn unread(caller: &Actor<'_>) -> u64 {
    caller.get("/api/notifications/unread-count").await.is(200).at("/count").as_u64().unwrap()
}

#[tokio::test]
async fn nobody_reads_for_another() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let (grace, alan) = (stage.key.as_user(stage.grace), stage.key.as_user(stage.alan));
        let (hers, his) = (start(&grace, "@own/helper").await, start(&alan, "@own/helper").await);
        assert_eq!(read(&grace, &hers).await.is(200).json(), json!({"object": "notification_read", "ok": false}), "not ended yet");
        for run in [&hers, &his] {
            carry_out(&world, run, &[]).await;
        }
        for caller in [&alan, &stage.sibling_key, &stage.foreign_key] {
            read(caller, &hers).await.refused(Code::NotFound);
        }
        read(&grace, "nonsense").await.refused(Code::NotFound);
        assert_eq!(read(&stage.own, &hers).await.is(200).at("/ok"), false, "a member sees the run and does not read it for its end-user");
        assert_eq!((unread(&grace).await, unread(&alan).await), (1, 1));
        assert_eq!(read(&grace, &hers).await.is(200).at("/ok"), true);
        assert_eq!(read(&grace, &hers).await.is(200).at("/ok"), false);
        assert_eq!((unread(&grace).await, unread(&alan).await), (0, 1));
    }
}

#[tokio::test]
async fn all_that_is_read_is_ones_own() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let (grace, alan) = (stage.key.as_user(stage.grace), stage.key.as_user(stage.alan));
        for caller in [&grace, &grace, &alan, &stage.key, &*stage.own] {
            let run = start(caller, "@own/helper").await;
            carry_out(&world, &run, &[]).await;
        }
        let read_all = async |caller: &Actor<'_>| {
            let reply = caller.send(Method::PUT, "/api/notifications/read-all", None).await.is(200);
            assert_eq!(reply.at("/object"), "notifications_read");
            reply.at("/updated").as_u64().unwrap()
        };
        assert_eq!(read_all(&grace).await, 2);
        assert_eq!((unread(&grace).await, unread(&alan).await, unread(&stage.own).await, unread(&stage.key).await), (0, 1, 2, 3));
        assert_eq!(read_all(&stage.own).await, 2);
        assert_eq!((unread(&alan).await, unread(&stage.own).await, unread(&stage.key).await), (1, 0, 1));
        assert_eq!(read_all(&stage.foreign_key).await, 0);
        assert_eq!(read_all(&alan).await, 1);
        assert_eq!(read_all(&stage.key).await, 0);
    }
}
