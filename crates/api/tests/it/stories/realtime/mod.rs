//! Live streams, and the tickets that open them.

mod ends;
mod run;
mod runs;
mod tickets;

use std::time::Duration;

use serde_json::json;
use store::{Appended, ClaimedRun, RunEnding, RunEntry, WriteContext};
use wire::run_event::{LogLevel, RunEvent};

use crate::world::{Actor, World};

/// Starts a run of the agent; its id.
pub(crate) async fn start(caller: &Actor<'_>, agent: &str) -> String {
    caller.post("/api/runs", &json!({"agentId": agent})).await.is(200).text_at("/runId")
}

/// Takes the run as a worker does.
async fn claim(world: &World, run: &str) -> ClaimedRun {
    loop {
        let claimed = world.store.system().claim_run("story", Duration::from_mins(1)).await.unwrap().expect("the run waits");
        if claimed.spec.run.to_string() == run {
            return claimed;
        }
    }
}

pub(super) fn log(message: &str) -> RunEntry {
    RunEntry::Event(RunEvent::Log { level: LogLevel::Info, message: message.to_owned(), data: None })
}

/// Carries out a waiting run: it starts, logs these lines and succeeds.
pub(crate) async fn carry_out(world: &World, run: &str, lines: &[&str]) {
    let claimed = claim(world, run).await;
    let started = RunEntry::Event(RunEvent::Started { rung: "namespace".to_owned(), egress: json!({"policy": "public"}) });
    let entries: Vec<RunEntry> = std::iter::once(started).chain(lines.iter().map(|line| log(line))).collect();
    let appended = world.store.system().append_to_run(&claimed.lease, claimed.next_seq, &entries).await.unwrap();
    assert!(matches!(appended, Appended::Committed { .. }));
    let write = world.store.write(&claimed.scope, WriteContext::internal()).await.unwrap();
    assert!(write.runs().finish(&claimed.lease, &RunEnding::default()).await.unwrap().is_some());
    write.commit().await.unwrap();
}
