//! The stream of a run: history, then its end; and who may follow it.

use axum::http::Method;
use domain::Code;
use serde_json::Value;

use super::{carry_out, start};
use crate::walk::{Kind, Stage, Target};
use crate::world::{Logs, World};

#[tokio::test]
async fn a_run_that_has_ended_is_told_from_the_beginning_and_the_stream_ends() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let grace = stage.key.as_user(stage.grace);
        let run = Kind::Run.make(&stage, Target::Own).await.id;
        grace.send(Method::POST, &format!("/api/runs/{run}/cancel"), None).await.is(200);
        let path = format!("/api/realtime/runs/{run}");

        let stream = grace.get(&path).await.is(200);

        assert!(stream.header("content-type").unwrap().starts_with("text/event-stream"));
        let ids: Vec<&str> = stream.text.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
        let (first, last) = (format!("{run}-1"), format!("{run}-2"));
        assert_eq!(ids, [&first, &last], "{stream}");
        assert_eq!(stream.text.matches("event: run_update").count(), 2, "{stream}");
        assert_eq!(stream.text.matches("retry: ").count(), 1, "{stream}");
        let shown = async |seen: &str| {
            let resumed = grace.with("last-event-id", seen).get(&path).await.is(200);
            [&first, &last].map(|id| resumed.text.contains(&format!("id: {id}\n")))
        };
        // As ids are written now, and as they once were.
        for seen in [first.as_str(), "1"] {
            assert_eq!(shown(seen).await, [false, true], "{seen}");
        }
        for seen in [last.as_str(), "2"] {
            assert_eq!(shown(seen).await, [false, false], "{seen}");
        }
        // What was seen of another run, or of none, skips nothing of this one.
        let other = Kind::Run.make(&stage, Target::Own).await.id;
        for seen in [format!("{other}-1"), format!("{other}-2"), format!("{run}-3"), "40".to_owned(), "-1".to_owned(), "0-0".to_owned()] {
            assert_eq!(shown(&seen).await, [true, true], "{seen}");
        }
        let logs = grace.get(&format!("/api/runs/{run}/logs")).await.is(200);
        assert_eq!(logs.at("/pagination/total"), 2, "{logs}");
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_left_out_and_the_stream_goes_on() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let run = start(&stage.key, "@own/helper").await;
        let path = format!("/api/realtime/runs/{run}");
        let mut live = stage.key.open(&path).await;
        live.take(1).await;
        let long = "x".repeat(40 * 1024);
        carry_out(&world, &run, &[&long, "damaged", "whole"]).await;
        world.lose_blobs();
        world.execute(&format!("UPDATE events SET data = '{{\"type\":\"of.a.newer.node\"}}' WHERE run_id = '{run}' AND seq = 4")).await;

        let logs = Logs::collect();
        let rest: Vec<String> = live.take(3).await.into_iter().map(|frame| frame.id).collect();
        assert_eq!(rest, [2, 5, 6].map(|seq| format!("{run}-{seq}")));
        assert!(live.next().await.is_none(), "the run has ended");
        let fields = |error: Value| (error["fields"]["run.id"].clone(), error["fields"]["event.seq"].clone());
        let mut logged: Vec<_> = logs.take().into_iter().map(fields).collect();
        logged.sort_by_key(|(_, seq)| seq.as_i64());
        assert_eq!(logged, [3, 4].map(|seq| (run.clone().into(), seq.into())));

        for seen in 0..=6 {
            let stream = stage.key.with("last-event-id", format!("{run}-{seen}")).get(&path).await.is(200);
            let ids: Vec<&str> = stream.text.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
            let expected: Vec<String> = [1, 2, 5, 6].into_iter().filter(|seq| *seq > seen).map(|seq| format!("{run}-{seq}")).collect();
            assert_eq!(ids, expected, "resumed behind {seen}");
        }
    }
}

#[tokio::test]
async fn many_events_that_cannot_be_read_hide_neither_the_next_one_nor_the_end() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let run = start(&stage.key, "@own/helper").await;
        let path = format!("/api/realtime/runs/{run}");
        let mut live = stage.key.open(&path).await;
        live.take(1).await;
        let mut lines = vec!["damaged"; 100];
        lines.push("whole");
        carry_out(&world, &run, &lines).await;
        world.execute(&format!("UPDATE events SET data = '' WHERE run_id = '{run}' AND seq > 2 AND seq <> 103")).await;

        // Its end, number 104, is one of them.
        let rest: Vec<String> = live.take(2).await.into_iter().map(|frame| frame.id).collect();
        assert_eq!(rest, [2, 103].map(|seq| format!("{run}-{seq}")));
        assert!(live.next().await.is_none(), "the run has ended");
        let anew = stage.key.get(&path).await.is(200);
        assert_eq!(anew.text.lines().filter(|line| line.starts_with("id: ")).count(), 3, "{anew}");
    }
}

#[tokio::test]
async fn credentials_may_stand_in_the_query_of_a_stream_and_nowhere_else() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let run = Kind::Run.make(&stage, Target::Own).await.id;
    stage.key.as_user(stage.grace).send(Method::POST, &format!("/api/runs/{run}/cancel"), None).await.is(200);
    let created = stage.own.post("/api/api-keys", &serde_json::json!({"name": "Stream", "scopes": ["runs:read"]})).await.is(201);
    let secret = created.text_at("/key");
    let path = format!("/api/realtime/runs/{run}");
    let anonymous = world.anonymous();

    anonymous.get(&format!("{path}?token={secret}&endUser={}", stage.grace)).await.is(200);
    anonymous.get(&format!("{path}?token={secret}&endUser={}", stage.alan)).await.refused(Code::NotFound);
    anonymous.get(&format!("{path}?token={secret}&endUser={}", stage.deleted)).await.refused(Code::InvalidEndUser);
    anonymous.get(&format!("{path}?token={secret}&token={secret}")).await.refused(Code::InvalidRequest);
    anonymous.get(&format!("{path}?token=ask_wrong")).await.refused(Code::Unauthorized);
    anonymous.get(&format!("/api/runs/{run}?token={secret}")).await.refused(Code::Unauthorized);
    stage.own.without("x-org-id").without("x-app-id").get(&format!("{path}?orgId={}&appId={}", stage.own.org, stage.own.app)).await.is(200);
    stage.key.get(&format!("{path}?deltas=maybe")).await.invalid_at("/deltas");
}
