use std::time::Duration;

use domain::{NanoUsd, RunStatus};
use serde_json::{Value, json};
use store::{Appended, EventData, Run, RunEnding, RunEntry, RunRecord, WriteContext};
use wire::control::LedgerState;
use wire::hands::ToolOutcome;
use wire::message::{AssistantMessage, StopReason, Usage};
use wire::run_event::{LogLevel, RunEvent};

use super::{a_run, a_running_run, append, claim, get, names, open, records, started};
use crate::world::World;

fn log(message: &str) -> RunEntry {
    RunEntry::Event(RunEvent::Log { level: LogLevel::Info, message: message.to_owned(), data: None })
}

fn settle(entry: u64, usage: Usage, cost: i64) -> RunEntry {
    RunEntry::LedgerSettle { entry, usage, cost: NanoUsd(cost), state: LedgerState::Priced }
}

const USAGE: Usage = Usage { input: 100, output: 20, cache_read: 3, cache_write: 1 };

#[tokio::test]
async fn nothing_happens_in_a_run_before_it_has_started_or_after_it_has_ended() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        a_run(&world.store, &ada.scope).await;
        let claimed = claim(&world.store).await;
        let system = world.store.system();
        assert_eq!(system.append_to_run(&claimed.lease, 2, &[log("early")]).await.unwrap(), Appended::LeaseLost);
        append(&world.store, &claimed.lease, 2, &[started(), log("now")]).await;
        assert_eq!(system.append_to_run(&claimed.lease, 4, &[started()]).await.unwrap(), Appended::LeaseLost);

        let write = world.store.write(&claimed.scope, WriteContext::internal()).await.unwrap();
        write.runs().finish(&claimed.lease, &RunEnding::default()).await.unwrap().unwrap();
        write.commit().await.unwrap();
        assert_eq!(system.append_to_run(&claimed.lease, 5, &[log("late")]).await.unwrap(), Appended::LeaseLost);
        assert_eq!(system.append_to_run(&claimed.lease, 5, &[open(1, 10)]).await.unwrap(), Appended::LeaseLost);
        let records = records(&world.store, &ada.scope, claimed.spec.run).await;
        assert_eq!(names(&records), [(1, "run.created"), (2, "run.started"), (3, "log"), (4, "run.ended")]);
    }
}

#[tokio::test]
async fn a_batch_whose_outcome_was_unknown_may_be_repeated() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (claimed, seq) = a_running_run(&world.store, &ada.scope).await;
        let batch = [open(1, 500), log("once"), settle(1, USAGE, 300)];
        let next = append(&world.store, &claimed.lease, seq, &batch).await;
        assert_eq!(append(&world.store, &claimed.lease, seq, &batch).await, next);
        let records = records(&world.store, &ada.scope, claimed.spec.run).await;
        assert_eq!(names(&records), [(1, "run.created"), (2, "run.started"), (3, "log")]);
        let run = get(&world.store, &ada.scope, claimed.spec.run).await;
        assert_eq!((run.cost, run.usage), (NanoUsd(300), USAGE), "a running run shows its cost so far");
        // A number that skips is nobody's batch.
        assert_eq!(world.store.system().append_to_run(&claimed.lease, next + 1, &[log("skips")]).await.unwrap(), Appended::LeaseLost);
    }
}

#[tokio::test]
async fn many_runs_write_at_once_and_keep_their_own_order() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let mut running = Vec::new();
        for _ in 0..6 {
            running.push(a_running_run(&world.store, &ada.scope).await);
        }
        let write = async |(claimed, seq): &(store::ClaimedRun, i64)| {
            let mut next = *seq;
            for count in 0..20 {
                next = append(&world.store, &claimed.lease, next, &[log(&count.to_string())]).await;
            }
        };
        futures::future::join_all(running.iter().map(write)).await;
        for (claimed, _) in &running {
            let records = records(&world.store, &ada.scope, claimed.spec.run).await;
            assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), (1..=22).collect::<Vec<_>>());
            let messages: Vec<_> = records.iter().filter_map(|record| message(record)).collect();
            assert_eq!(messages, (0..20).map(|count| count.to_string()).collect::<Vec<_>>());
        }
    }
}

fn message(record: &RunRecord) -> Option<&str> {
    match &record.data {
        EventData::Whole(RunEvent::Log { message, .. }) => Some(message),
        _ => None,
    }
}

#[tokio::test]
async fn a_large_tool_result_is_a_blob_and_comes_back_whole() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (claimed, seq) = a_running_run(&world.store, &ada.scope).await;
        let event = RunEvent::ToolCompleted {
            tool_call_id: "call_1".to_owned(),
            tool: "bash".to_owned(),
            outcome: ToolOutcome::text("y\n".repeat(40_000)),
            duration_ms: 12,
        };
        append(&world.store, &claimed.lease, seq, &[RunEntry::Event(event.clone())]).await;
        let record = records(&world.store, &ada.scope, claimed.spec.run).await.pop().unwrap();
        assert_eq!(record.name, "tool.completed");
        assert!(matches!(record.data, EventData::Large { bytes, .. } if bytes > 80_000));
        assert_eq!(world.store.whole_event(record.data).await.unwrap(), event);
    }
}

/// Folds the events and the settled calls of a run into what its row must say.
fn fold(records: &[RunRecord], calls: &[(Usage, NanoUsd)]) -> Value {
    let mut row = json!({"status": "pending", "report": null, "output": null, "state": null, "error": null, "errorCode": null});
    for record in records {
        let EventData::Whole(event) = &record.data else { continue };
        match event {
            RunEvent::Created { .. } => row["created"] = json!(record.created_at),
            RunEvent::Started { rung, .. } => {
                row["status"] = json!("running");
                row["rung"] = json!(rung);
                row["started"] = json!(record.created_at);
            }
            RunEvent::Output { output } => row["output"] = output.clone(),
            RunEvent::StateSet { state } => row["state"] = state.clone(),
            RunEvent::Report { content } => {
                row["report"] = match row["report"].as_str() {
                    Some(before) => json!(format!("{before}\n\n{content}")),
                    None => json!(content),
                };
            }
            RunEvent::Ended { status, failure, duration_ms, cost } => {
                row["status"] = json!(status);
                row["completed"] = json!(record.created_at);
                row["duration"] = json!(duration_ms);
                row["cost"] = json!(cost);
                row["error"] = json!(failure.as_ref().map(|failure| &failure.message));
                row["errorCode"] = json!(failure.as_ref().map(|failure| failure.code));
            }
            _ => {}
        }
    }
    let mut usage = Usage::default();
    for (call, _) in calls {
        usage += *call;
    }
    row["usage"] = json!(usage);
    assert_eq!(row["cost"], json!(calls.iter().map(|(_, cost)| *cost).sum::<NanoUsd>()));
    row
}

fn projected(run: &Run) -> Value {
    json!({
        "status": run.status, "report": run.report, "output": run.output, "state": run.state,
        "error": run.error, "errorCode": run.error_code,
        "created": run.created_at, "rung": run.rung, "started": run.started_at, "completed": run.completed_at,
        "duration": run.duration_ms(), "cost": run.cost, "usage": run.usage,
    })
}

#[tokio::test]
async fn the_row_is_what_its_events_fold_into() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        for ending in
            [RunEnding::default(), RunEnding::failed(wire::run_event::Failure::new(wire::run_event::FailureCode::TimedOut, "too \0 slow"))]
        {
            world.clock.advance(Duration::from_millis(7));
            a_run(&world.store, &ada.scope).await;
            world.clock.advance(Duration::from_millis(11));
            let claimed = claim(&world.store).await;
            let turn = RunEvent::TurnCompleted {
                turn: 1,
                message: AssistantMessage { text: "Hm.".to_owned(), ..AssistantMessage::default() },
                usage: USAGE,
                stop: StopReason::End,
                duration_ms: 3,
            };
            let mut seq = append(&world.store, &claimed.lease, claimed.next_seq, &[started(), open(1, 900)]).await;
            world.clock.advance(Duration::from_secs(2));
            let report = |text: &str| RunEntry::Event(RunEvent::Report { content: text.to_owned() });
            let batches = [
                vec![settle(1, USAGE, 700), RunEntry::Event(turn), report("# One")],
                vec![report("Two"), report("Three"), RunEntry::Event(RunEvent::Output { output: json!({"a": 1}) })],
                vec![open(2, 400), settle(2, USAGE, 100), RunEntry::Event(RunEvent::StateSet { state: json!({"cursor": 1}) })],
                vec![RunEntry::Event(RunEvent::StateSet { state: json!({"cursor": 2}) }), log("done"), open(3, 250)],
                vec![RunEntry::Event(RunEvent::Output { output: json!({"a": 1, "b": [null]}) })],
            ];
            for batch in batches {
                seq = append(&world.store, &claimed.lease, seq, &batch).await;
            }
            world.clock.advance(Duration::from_millis(345));
            let write = world.store.write(&claimed.scope, WriteContext::internal()).await.unwrap();
            let finished = write.runs().finish(&claimed.lease, &ending).await.unwrap().unwrap();
            write.commit().await.unwrap();

            let run = get(&world.store, &ada.scope, claimed.spec.run).await;
            assert_eq!(run, finished.run);
            let records = records(&world.store, &ada.scope, claimed.spec.run).await;
            // The third call was never settled: all that was reserved counts.
            let calls = [(USAGE, NanoUsd(700)), (USAGE, NanoUsd(100)), (Usage::default(), NanoUsd(250))];
            assert_eq!(projected(&run), fold(&records, &calls));
            assert_eq!(run.duration_ms(), Some(2345));
            assert!(matches!(run.status, RunStatus::Success | RunStatus::Timeout));
        }
    }
}
