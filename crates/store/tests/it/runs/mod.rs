//! The life of runs, as the store keeps it.

mod claim;
mod counters;
mod create;
mod ends;
mod follow;
mod locks;
mod memories;
mod passing;
mod record;
mod recover;
pub(crate) mod tenancy;
mod unread;

use std::time::Duration;

use domain::{NanoUsd, RandomIds, RunId};
use serde_json::json;
use store::{AppScope, Appended, ClaimedRun, NewRun, Run, RunEnding, RunEntry, RunLease, RunRecord, Store, WriteContext};
use wire::run_event::RunEvent;
use wire::run_spec::{Egress, ModelProtocol, ModelSpec, Prompt, RunLimits, RunSpec};

pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// A run of `@acme/agent` as preflight would prepare it.
pub(crate) fn new_run(scope: &AppScope) -> NewRun {
    let model = ModelSpec {
        id: None,
        label: "Scripted".to_owned(),
        protocol: ModelProtocol::OpenAiCompletions,
        base_url: "http://127.0.0.1:1/v1".parse().unwrap(),
        model: "scripted-1".to_owned(),
        context_window: 128_000,
        max_output_tokens: 4_096,
        reasoning: false,
        accepts_images: false,
        price: None,
    };
    let spec = RunSpec {
        run: RunId::new(&RandomIds),
        org: scope.org(),
        app: scope.app(),
        end_user: scope.reach().end_user(),
        agent: "@acme/agent".parse().unwrap(),
        version: Some("1.0.0".to_owned()),
        prompt: Prompt { system: "You are an agent.".to_owned(), user: "Begin.".to_owned() },
        model,
        tools: Vec::new(),
        providers: Vec::new(),
        packages: Vec::new(),
        output_schema: None,
        memories: Vec::new(),
        egress: Egress::Public,
        proxy: None,
        limits: RunLimits::default(),
    };
    NewRun { spec, input: json!({"question": "why"}), config: json!({}), user: None, key: None }
}

pub(crate) async fn create(store: &Store, scope: &AppScope, new: &NewRun) -> Run {
    let write = store.write(scope, WriteContext::internal()).await.unwrap();
    let run = write.runs().create(new, 1_000).await.unwrap().unwrap();
    write.commit().await.unwrap();
    run
}

pub(crate) async fn a_run(store: &Store, scope: &AppScope) -> Run {
    create(store, scope, &new_run(scope)).await
}

pub(crate) async fn claim(store: &Store) -> ClaimedRun {
    store.system().claim_run("worker-1", LEASE).await.unwrap().expect("a run waits")
}

pub(crate) fn started() -> RunEntry {
    RunEntry::Event(RunEvent::Started { rung: "namespace".to_owned(), egress: json!({"policy": "public"}) })
}

/// A run that is going on, and the number of its next event.
pub(crate) async fn a_running_run(store: &Store, scope: &AppScope) -> (ClaimedRun, i64) {
    a_run(store, scope).await;
    let claimed = claim(store).await;
    let next = append(store, &claimed.lease, claimed.next_seq, &[started()]).await;
    (claimed, next)
}

pub(crate) async fn append(store: &Store, lease: &RunLease, seq: i64, entries: &[RunEntry]) -> i64 {
    match store.system().append_to_run(lease, seq, entries).await.unwrap() {
        Appended::Committed { next_seq, .. } => next_seq,
        Appended::LeaseLost => panic!("the lease is held"),
    }
}

/// Ends a run with success.
pub(crate) async fn finish(store: &Store, claimed: &ClaimedRun) {
    let write = store.write(&claimed.scope, WriteContext::internal()).await.unwrap();
    write.runs().finish(&claimed.lease, &RunEnding::default()).await.unwrap().unwrap();
    write.commit().await.unwrap();
}

pub(crate) async fn get(store: &Store, scope: &AppScope, run: RunId) -> Run {
    store.read(scope).await.unwrap().runs().get(run).await.unwrap().expect("the scope reaches the run")
}

pub(crate) async fn records(store: &Store, scope: &AppScope, run: RunId) -> Vec<RunRecord> {
    store.read(scope).await.unwrap().run_events().after(run, 0, 10_000).await.unwrap()
}

pub(crate) fn names(records: &[RunRecord]) -> Vec<(i64, &str)> {
    records.iter().map(|record| (record.seq, record.name.as_str())).collect()
}

pub(crate) fn log(message: &str) -> RunEntry {
    RunEntry::Event(RunEvent::Log { level: wire::run_event::LogLevel::Info, message: message.to_owned(), data: None })
}

pub(crate) fn open(entry: u64, reserved: i64) -> RunEntry {
    RunEntry::LedgerOpen { entry, reserved: NanoUsd(reserved) }
}
