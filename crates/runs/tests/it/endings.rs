//! Every way a run can go wrong leaves one correct end.

use std::sync::atomic::Ordering;

use domain::RunStatus;
use serde_json::json;
use wire::control::{Outcome, ToSidecar};
use wire::run_event::{Failure, FailureCode, RunEvent};
use wire::run_spec::LockedPackage;

use crate::fake::{Script, Step};
use crate::world::{Keys, Worker, World, names, nano, options};

/// Carries one run out and gives its end: status, code, cost in nano-dollars, message.
async fn end_of(world: &World, script: Script, timeout_ms: u64) -> (RunStatus, String, i64, String) {
    let worker = world.worker(script);
    let mut new = world.new_run();
    new.spec.limits.timeout_ms = timeout_ms;
    let run = world.start_run(&new).await;
    let (ended, _) = world.ended(run).await;
    worker.stop().await;
    (ended.status, ended.error_code.unwrap_or_default(), ended.cost.0, ended.error.unwrap_or_default())
}

const LONG: u64 = 60_000;

#[tokio::test]
async fn a_sidecar_that_dies_at_any_step_loses_its_run_and_keeps_the_cost() {
    let whole = [
        Step::Log("a"),
        Step::Open(1, 900),
        Step::Settle(1, 300),
        Step::Delta("b"),
        Step::Sandbox,
        Step::Open(2, 50),
        Step::History,
        Step::Event(RunEvent::Output { output: json!(1) }),
    ];
    let costs = [0, 0, 900, 300, 300, 300, 350, 350, 350];
    for world in World::each().await {
        for (steps, cost) in costs.into_iter().enumerate() {
            let script = whole[..steps].iter().cloned().chain([Step::Die]).collect();
            let (status, code, spent, _) = end_of(&world, script, LONG).await;
            assert_eq!((status, code.as_str(), spent), (RunStatus::Failed, "sidecar_lost", cost), "after {steps} steps");
        }
    }
}

#[tokio::test]
async fn the_sidecars_own_verdict_is_the_end() {
    for world in World::each().await {
        for code in [FailureCode::ModelAuthentication, FailureCode::OutputMissing, FailureCode::CostLimit] {
            let outcome = Outcome { failure: Some(Failure::new(code, "why")), ..Outcome::default() };
            let (status, stored, _, message) = end_of(&world, vec![Step::End(outcome)], LONG).await;
            assert_eq!((status, stored.as_str(), message.as_str()), (RunStatus::Failed, code.as_str(), "why"));
        }
    }
}

#[tokio::test]
async fn a_run_whose_time_is_up_is_told_and_if_it_does_not_listen_killed() {
    for world in World::each().await {
        let (status, code, cost, message) = end_of(&world, vec![Step::Open(1, 40), Step::Obey], 100).await;
        assert_eq!((status, code.as_str(), cost), (RunStatus::Timeout, "timed_out", 40));
        assert_eq!(message, "The run reached its time limit of 1 s.");
        let script = vec![Step::Sandbox, Step::Open(1, 40), Step::Settle(1, 30), Step::Hang];
        let (status, code, cost, _) = end_of(&world, script, 100).await;
        assert_eq!((status, code.as_str(), cost), (RunStatus::Timeout, "timed_out", 30));
    }
}

#[tokio::test]
async fn what_only_the_worker_writes_is_not_taken_from_a_sidecar() {
    for world in World::each().await {
        for forged in [
            RunEvent::Ended { status: RunStatus::Success, failure: None, duration_ms: 1, cost: nano(0) },
            RunEvent::Started { rung: "none".to_owned(), egress: json!({}) },
        ] {
            let (status, code, _, _) = end_of(&world, vec![Step::Event(forged)], LONG).await;
            assert_eq!((status, code.as_str()), (RunStatus::Failed, "internal"));
        }
    }
}

#[tokio::test]
async fn a_sandbox_that_does_not_start_is_told_to_the_sidecar() {
    for world in World::each().await {
        let worker = world.worker(vec![Step::Sandbox, Step::End(Outcome::default())]);
        worker.sandbox.refuses.store(true, Ordering::SeqCst);
        let run = world.start_run(&world.new_run()).await;
        let (ended, records) = world.ended(run).await;
        assert_eq!(ended.status, RunStatus::Success, "what it means for the run is for the sidecar to say");
        assert_eq!(names(&records), ["run.created", "run.started", "run.ended"]);
        assert!(worker.launch.was_told(|message| matches!(message, ToSidecar::SandboxFailed { message } if message.contains("launcher"))));
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_sandbox_is_started_once() {
    for world in World::each().await {
        let worker = world.worker(vec![Step::Sandbox, Step::Sandbox, Step::End(Outcome::default())]);
        let run = world.start_run(&world.new_run()).await;
        world.ended(run).await;
        assert!(worker.launch.was_told(|message| matches!(message, ToSidecar::SandboxFailed { .. })));
        assert_eq!(worker.launch.descriptors.load(Ordering::SeqCst), 3);
        worker.stop().await;
    }
}

#[tokio::test]
async fn how_a_sandbox_died_stands_in_the_runs_error() {
    for world in World::each().await {
        let failure = Failure::new(FailureCode::SandboxFailed, "The sandbox is gone.");
        let obey = Outcome { failure: Some(failure), ..Outcome::default() };
        let worker = world.worker(vec![Step::Sandbox, Step::Log("standing"), Step::History, Step::End(obey)]);
        // Before the run: the sandbox dies as soon as it stands.
        worker.sandbox.disaster.lock().unwrap().cancel();
        let run = world.start_run(&world.new_run()).await;
        let (ended, _) = world.ended(run).await;
        assert_eq!(ended.error_code.as_deref(), Some("sandbox_failed"));
        assert_eq!(ended.error.as_deref(), Some("The sandbox is gone. The sandbox was out of memory."));
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_run_that_cannot_be_prepared_fails_before_it_starts() {
    for world in World::each().await {
        let worker = Worker::start(&world.store, options(), Keys::Gone, vec![Step::Hang]);
        let run = world.start_run(&world.new_run()).await;
        let (ended, records) = world.ended(run).await;
        assert_eq!((ended.status, ended.error_code.as_deref()), (RunStatus::Failed, Some("preparation_failed")));
        assert_eq!(ended.error.as_deref(), Some("The model's key was deleted."));
        assert_eq!((names(&records), ended.started_at), (vec!["run.created", "run.ended"], None));
        worker.stop().await;

        let worker = world.worker(vec![Step::Hang]);
        let mut new = world.new_run();
        let lost = LockedPackage {
            name: "@acme/skill".parse().unwrap(),
            version: "1.0.0".to_owned(),
            integrity: format!("sha256-{}=", "A".repeat(43)),
            directory: ".pi/skills/@acme/skill".to_owned(),
        };
        new.spec.packages.push(lost);
        let run = world.start_run(&new).await;
        let (ended, _) = world.ended(run).await;
        assert_eq!(ended.error.as_deref(), Some("The package @acme/skill@1.0.0 is no longer stored."));
        worker.stop().await;
    }
}

#[tokio::test]
async fn packages_are_unpacked_into_the_workspace_as_they_were_locked() {
    for world in World::each().await {
        let files = [("SKILL.md", b"# Tea".to_vec()), ("bin/brew", b"#!/bin/sh\n".to_vec())];
        let set = afps::FileSet::collect(files.into_iter().map(|(path, content)| (path.to_owned(), content))).unwrap();
        let manifest = json!({"schemaVersion": "1.0", "type": "skill", "name": "@acme/tea", "version": "1.0.0", "displayName": "Tea"});
        let archive = afps::write_archive(&afps::Manifest::from_value(manifest).unwrap(), &set).unwrap();
        let integrity = afps::Integrity::of(&archive).to_string();
        world.store.blobs().put(archive.into()).await.unwrap();
        let worker = world.worker(vec![Step::End(Outcome::default())]);
        let mut new = world.new_run();
        let directory = ".pi/skills/@acme/tea".to_owned();
        new.spec.packages.push(LockedPackage { name: "@acme/tea".parse().unwrap(), version: "1.0.0".to_owned(), integrity, directory });
        let run = world.start_run(&new).await;
        world.ended(run).await;
        let told = worker.launch.told.lock().unwrap().first().cloned();
        let Some(ToSidecar::Start(start)) = told else { panic!("the run is handed over first") };
        let mut seen: Vec<_> = start.files.iter().map(|file| (file.path.as_str(), file.mode)).collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                (".pi/skills/@acme/tea/SKILL.md", 0o644),
                (".pi/skills/@acme/tea/bin/brew", 0o755),
                (".pi/skills/@acme/tea/manifest.json", 0o644),
            ]
        );
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_defect_of_ours_ends_one_run_and_not_the_worker() {
    for world in World::each().await {
        let worker = Worker::start(&world.store, options(), Keys::Panicking, vec![Step::Hang]);
        for _ in 0..2 {
            let run = world.start_run(&world.new_run()).await;
            let (ended, _) = world.ended(run).await;
            assert_eq!((ended.status, ended.error_code.as_deref()), (RunStatus::Failed, Some("internal")));
            assert!(!ended.error.unwrap().contains("cursed"), "what went wrong inside is for the log");
        }
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_history_larger_than_a_message_loses_its_oldest_runs() {
    for world in World::each().await {
        let output = Step::Event(RunEvent::Output { output: json!("x".repeat(3 * 1024 * 1024)) });
        let worker = world.worker(vec![Step::History, output, Step::End(Outcome::default())]);
        for _ in 0..3 {
            let run = world.start_run(&world.new_run()).await;
            let (ended, _) = world.ended(run).await;
            assert_eq!(ended.status, RunStatus::Success);
        }
        let sizes: Vec<_> = {
            let told = worker.launch.told.lock().unwrap();
            told.iter().filter_map(|message| if let ToSidecar::History { runs, .. } = message { Some(runs.len()) } else { None }).collect()
        };
        assert_eq!(sizes, [0, 1, 1]);
        worker.stop().await;
    }
}
