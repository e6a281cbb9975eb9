//! Streams of many runs: whose they are, what an agent's shows, and that they can be left and taken up again.

use std::time::Duration;

use super::{carry_out, start};
use crate::walk::Stage;
use crate::world::{Frame, Stream, World};

const ALL: &str = "/api/realtime/runs";
const HELPER: &str = "/api/realtime/agents/@own/helper/runs";
const HELPER_BY_ID: &str = "/api/realtime/agents/@own%2Fhelper/runs";

/// What a whole run with one line of log tells.
fn told(run: &str, line: &str) -> Vec<(String, String)> {
    let told = |event: &str, what: &str| (event.to_owned(), format!("{run} {what}"));
    vec![told("run_update", "pending"), told("run_update", "running"), told("run_log", line), told("run_update", "success")]
}

fn seen(frames: &[Frame]) -> Vec<(String, String)> {
    let what = |frame: &Frame| frame.text(if frame.event == "run_update" { "status" } else { "message" }).to_owned();
    frames.iter().map(|frame| (frame.event.clone(), format!("{} {}", frame.run(), what(frame)))).collect()
}

#[tokio::test]
async fn each_caller_sees_its_own_runs_live_and_no_others() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let (grace, alan) = (stage.key.as_user(stage.grace), stage.key.as_user(stage.alan));
        let foreign_end_user = stage.foreign_key.as_user(stage.foreign_end_user);
        let mut streams: Vec<(&str, Stream)> = Vec::new();
        for (name, caller) in [
            ("grace", &grace),
            ("alan", &alan),
            ("key", &stage.key),
            ("member", &*stage.own),
            ("sibling", &stage.sibling_key),
            ("foreign", &stage.foreign_key),
            ("foreign end-user", &foreign_end_user),
        ] {
            streams.push((name, caller.open(ALL).await));
        }
        // One after the other, so that what leaks comes before what is awaited.
        let mut runs = Vec::new();
        for (caller, agent, line) in [
            (&grace, "@own/helper", "of grace"),
            (&alan, "@own/helper", "of alan"),
            (&stage.key, "@own/helper", "of the application"),
            (&stage.sibling_key, "@own/elsewhere", "of the sibling"),
            (&foreign_end_user, "@canary/helper", "of the foreign end-user"),
            (&stage.foreign_key, "@canary/helper", "of the foreign application"),
            (&grace, "@own/helper", "of grace again"),
        ] {
            let run = start(caller, agent).await;
            carry_out(&world, &run, &[line]).await;
            runs.push(told(&run, line));
        }
        for (name, mut stream) in streams {
            let own: &[usize] = match name {
                "grace" => &[0, 6],
                "alan" => &[1],
                "key" | "member" => &[0, 1, 2, 6],
                "sibling" => &[3],
                "foreign" => &[4, 5],
                _ => &[4],
            };
            let expected: Vec<_> = own.iter().flat_map(|index| runs[*index].clone()).collect();
            let frames = stream.take(expected.len()).await;
            assert_eq!(seen(&frames), expected, "{name}");
            let of_whom = |frame: &Frame| frame.data["endUserId"].clone();
            if name == "grace" {
                let updates = frames.iter().filter(|frame| frame.event == "run_update");
                assert!(updates.clone().all(|frame| of_whom(frame) == stage.grace.to_string() && frame.data["packageId"] == "@own/helper"));
                assert_eq!(updates.filter_map(|frame| frame.data["seq"].as_i64()).collect::<Vec<_>>(), [1, 2, 4, 1, 2, 4]);
            }
        }
    }
}

#[tokio::test]
async fn an_agents_stream_shows_its_states_and_its_log_and_nothing_of_others() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let path = format!("/api/applications/{}/packages", stage.own.app);
        stage.own.post(&path, &serde_json::json!({"packageId": "@own/removable"})).await.is(201);
        let grace = stage.key.as_user(stage.grace);
        let mut streams = [stage.key.open(HELPER).await, stage.key.open(HELPER_BY_ID).await];
        let mut of_grace = grace.open(HELPER).await;
        let mut silent = stage.key.open("/api/realtime/agents/@own/no-such-agent/runs").await;
        let mut expected = Vec::new();
        for (caller, agent, line) in [
            (&stage.key, "@own/removable", "of the other agent"),
            (&stage.key, "@own/helper", "of the application"),
            (&grace, "@own/removable", "of grace and the other agent"),
            (&grace, "@own/helper", "of grace"),
        ] {
            let run = start(caller, agent).await;
            carry_out(&world, &run, &[line]).await;
            if agent == "@own/helper" {
                expected.extend(told(&run, line));
            }
        }
        for stream in &mut streams {
            assert_eq!(seen(&stream.take(8).await), expected);
        }
        assert_eq!(seen(&of_grace.take(4).await), expected[4..]);
        // The silent one has told where it stands, so its reading has begun; resumed there it tells only what comes later.
        assert!(silent.read().await && silent.read().await && !silent.id.is_empty());
        let later = stage.key.with("last-event-id", &silent.id);
        assert_eq!(seen(&later.open(HELPER).await.take(8).await), expected);
        for malformed in
            ["/api/realtime/agents/nonsense/runs", "/api/realtime/agents/own/helper/runs", "/api/realtime/agents/@own%2FHelper!/runs"]
        {
            stage.key.get(malformed).await.refused(domain::Code::NotFound);
        }
    }
}

#[tokio::test]
async fn a_stream_begins_with_how_runs_stand_and_resumes_without_gap_or_duplicate() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let grace = stage.key.as_user(stage.grace);
        let before = start(&grace, "@own/helper").await;
        carry_out(&world, &before, &["earlier"]).await;
        let waiting = start(&grace, "@own/helper").await;
        start(&stage.key.as_user(stage.alan), "@own/helper").await;

        let mut stream = grace.open(ALL).await;
        let snapshot = stream.take(2).await;
        assert_eq!(
            seen(&snapshot),
            [("run_update".to_owned(), format!("{before} success")), ("run_update".to_owned(), format!("{waiting} pending"))]
        );
        assert!(snapshot[0].data["seq"].is_null() && snapshot[0].data["completedAt"].is_string());
        let begin = stream.id.clone();
        assert_ne!(begin, snapshot[0].id, "the stream's place comes after the snapshot");
        carry_out(&world, &waiting, &["one", "two"]).await;
        let live = stream.take(4).await;
        drop(stream);
        assert_eq!(live.iter().map(|frame| frame.text("status")).collect::<Vec<_>>(), ["running", "", "", "success"]);

        let again = start(&grace, "@own/helper").await;
        carry_out(&world, &again, &["three"]).await;
        let mut all = live.clone();
        all.extend(grace.with("last-event-id", &live[3].id).open(ALL).await.take(4).await);
        assert_eq!(seen(&all[4..]), told(&again, "three"));
        for (index, frame) in all.iter().enumerate().take(7) {
            let rest = grace.with("last-event-id", &frame.id).open(ALL).await.take(7 - index).await;
            assert_eq!(rest, all[index + 1..], "resumed behind {index}");
        }
        assert_eq!(grace.with("last-event-id", &begin).open(ALL).await.take(8).await, all);
        // Ids within the snapshot, and those that are not ours, begin anew.
        for id in [snapshot[1].id.as_str(), "nonsense", "-1--1", "99999999999999999999-1"] {
            let anew = grace.with("last-event-id", id).open(ALL).await.take(3).await;
            assert_eq!(seen(&anew).last().unwrap().1, format!("{again} success"), "{id}");
        }
        // A place of another caller's stream shows nothing that is not one's own.
        let alan = stage.key.as_user(stage.alan).with("last-event-id", "0-0").open(ALL).await.take(1).await;
        assert!(alan[0].text("endUserId") == stage.alan.to_string(), "{alan:?}");
    }
}

#[tokio::test]
async fn a_client_that_falls_behind_reads_the_table_and_misses_nothing() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let (mut slow, mut quick) = (stage.key.open(ALL).await, stage.key.open(ALL).await);
        slow.read().await;
        let run = start(&stage.key, "@own/helper").await;
        let lines: Vec<String> = (0..700).map(|number| format!("line {number}")).collect();
        carry_out(&world, &run, &lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
        // All is in the tail's window or out of it again before the slow one looks.
        let frames = quick.take(703).await;
        assert_eq!(slow.take(703).await, frames);
        assert!(frames.windows(2).all(|pair| pair[0].data["seq"].as_i64() < pair[1].data["seq"].as_i64()));
        let messages: Vec<_> = frames.iter().filter(|frame| frame.event == "run_log").map(|frame| frame.text("message")).collect();
        assert_eq!(messages, lines);
    }
}

#[tokio::test]
async fn a_line_that_is_too_large_for_a_wide_stream_comes_without_its_data() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let mut stream = stage.key.open(ALL).await;
        let run = start(&stage.key, "@own/helper").await;
        let long = "x".repeat(40 * 1024);
        carry_out(&world, &run, &[&long, "short"]).await;
        let frames = stream.take(5).await;
        assert_eq!(frames[2].data["data"]["omitted"], true);
        assert_eq!(frames[2].text("message").len(), 2_000);
        assert_eq!(frames[3].text("message"), "short");
        let whole = stage.key.get(&format!("/api/realtime/runs/{run}")).await.is(200);
        assert!(whole.text.contains(&long));
    }
}

#[tokio::test]
async fn what_an_end_user_took_along_is_not_told_any_more() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let run = start(&stage.key.as_user(stage.alan), "@own/helper").await;
        carry_out(&world, &run, &["private"]).await;
        stage.own.delete_end_user(stage.alan).await;
        let kept = start(&stage.key, "@own/helper").await;
        let frames = stage.key.with("last-event-id", "0-0").open(ALL).await.take(1).await;
        assert_eq!(frames[0].run(), kept);
    }
}

#[tokio::test]
async fn a_place_before_events_that_are_gone_is_no_reason_to_read_for_ever() {
    let world = World::with(|options| options.streams.keep_alive_every = Duration::from_millis(10)).await;
    let stage = Stage::set(&world).await;
    let kept = start(&stage.key, "@own/helper").await;
    carry_out(&world, &kept, &["kept"]).await;
    let mut earlier = stage.key.open(ALL).await;
    while earlier.id.is_empty() || earlier.id == "snapshot" {
        assert!(earlier.read().await);
    }
    let gone = start(&stage.key.as_user(stage.grace), "@own/helper").await;
    let seen = earlier.id.clone();
    carry_out(&world, &gone, &["gone"]).await;
    // Until no older transaction of the cluster hides them any more: whoever comes now comes behind them.
    earlier.take(4).await;
    drop(earlier);

    // Its tail begins behind the end-user's last event, which then goes.
    let holds_the_tail = stage.key.open(ALL).await;
    stage.own.delete_end_user(stage.grace).await;
    let mut resumed = stage.key.with("last-event-id", &seen).open(ALL).await;
    while resumed.comments < 3 {
        assert!(resumed.read().await);
    }
    assert_eq!(world.metric("appstrate_stream_catch_up_reads_total").await, 1);
    let later = start(&stage.key, "@own/helper").await;
    carry_out(&world, &later, &["later"]).await;
    assert_eq!(self::seen(&resumed.take(4).await), told(&later, "later"));
    drop(holds_the_tail);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_does_not_hold_up_the_others() {
    for world in World::each().await {
        let stage = Stage::set(&world).await;
        let run = start(&stage.key, "@own/helper").await;
        let long = "x".repeat(40 * 1024);
        carry_out(&world, &run, &[&long, "damaged", "whole"]).await;
        world.lose_blobs();
        world.execute(&format!("UPDATE events SET data = '{{\"type\":\"of.a.newer.node\"}}' WHERE run_id = '{run}' AND seq = 4")).await;

        let mut stream = stage.key.with("last-event-id", "0-0").open(ALL).await;
        assert_eq!(seen(&stream.take(4).await), told(&run, "whole"));
        let next = start(&stage.key, "@own/helper").await;
        carry_out(&world, &next, &["next"]).await;
        assert_eq!(seen(&stream.take(4).await), told(&next, "next"));
    }
}
