//! Workers that vanish, stop, or lose their hold.

use std::time::Duration;

use domain::RunStatus;
use wire::control::Outcome;

use crate::fake::Step;
use crate::world::{Keys, Worker, World, names, nano, options, soon};

#[tokio::test]
async fn a_worker_whose_lease_is_taken_stops_at_once_and_writes_no_end() {
    for world in World::each().await {
        let worker = world.worker(vec![Step::Sandbox, Step::Log("busy"), Step::Hang]);
        let run = world.start_run(&world.new_run()).await;
        world.reached(run, "log").await;
        world.sql(&format!("UPDATE runs SET lease_epoch = lease_epoch + 1, lease_worker = 'another' WHERE id = '{run}'")).await;
        soon(async {
            while worker.handle.running() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(worker.sandbox.standing(), 0);
        assert_eq!(world.run(run).await.status, RunStatus::Running);
        assert_eq!(names(&world.records(run).await), ["run.created", "run.started", "sandbox.started", "log"]);
        worker.stop().await;
    }
}

#[tokio::test]
async fn after_a_crash_the_next_life_ends_what_was_running_and_carries_out_what_waited() {
    for world in World::each().await {
        let mut one_at_a_time = options();
        one_at_a_time.concurrency = 1;
        let crashed = Worker::start(&world.store, one_at_a_time, Keys::Given, vec![Step::Open(1, 80), Step::Log("busy"), Step::Hang]);
        let running = world.start_run(&world.new_run()).await;
        world.reached(running, "log").await;
        let waiting = world.start_run(&world.new_run()).await;
        // The first life's loops stop where they stand, as a killed process's do: nothing is settled, no lease is extended.
        crashed.life.abort();
        assert!(crashed.life.await.unwrap_err().is_cancelled());

        let again = world.reopened().await;
        let worker = Worker::start(&again, options(), Keys::Given, vec![Step::End(Outcome::default())]);
        soon(async {
            while !world.run(waiting).await.status.is_ended() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(world.run(waiting).await.status, RunStatus::Success);
        assert_eq!(world.run(running).await.status, RunStatus::Running, "its lease is not over yet");

        world.clock.advance(Duration::from_secs(31));
        soon(async {
            while !world.run(running).await.status.is_ended() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let (ended, records) = world.ended(running).await;
        assert_eq!((ended.status, ended.error_code.as_deref()), (RunStatus::Failed, Some("server_restarted")));
        assert_eq!((ended.cost, ended.completed_at.is_some()), (nano(80), true));
        assert_eq!(names(&records), ["run.created", "run.started", "log", "run.ended"]);
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_stops_lets_runs_end_then_asks_them_to() {
    for world in World::each().await {
        let mut patient = options();
        patient.shutdown_grace = Duration::from_secs(30);
        let worker = Worker::start(
            &world.store,
            patient,
            Keys::Given,
            vec![Step::Log("busy"), Step::History, Step::History, Step::End(Outcome::default())],
        );
        let run = world.start_run(&world.new_run()).await;
        world.reached(run, "log").await;
        worker.stop().await;
        assert_eq!(world.run(run).await.status, RunStatus::Success);

        for last in [Step::Obey, Step::Hang] {
            let worker = world.worker(vec![Step::Log("busy"), last]);
            let run = world.start_run(&world.new_run()).await;
            world.reached(run, "log").await;
            worker.stop().await;
            let (ended, _) = world.ended(run).await;
            assert_eq!((ended.status, ended.error_code.as_deref()), (RunStatus::Failed, Some("server_restarted")));
        }
        let waiting = world.start_run(&world.new_run()).await;
        assert_eq!(world.run(waiting).await.status, RunStatus::Pending, "nobody claims any more");
    }
}

#[tokio::test]
async fn a_run_that_ends_its_worker_while_it_is_prepared_does_not_go_round_for_ever() {
    for world in World::each().await {
        let run = world.start_run(&world.new_run()).await;
        for _ in 0..3 {
            assert!(world.store.system().claim_run("worker-of-a-dead-node", Duration::from_secs(30)).await.unwrap().is_some());
            world.clock.advance(Duration::from_secs(31));
            let mut idle = options();
            idle.concurrency = 0;
            let worker = Worker::start(&world.store, idle, Keys::Given, vec![]);
            soon(async {
                while !world.store.system().expired_runs(1).await.unwrap().is_empty() {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            worker.stop().await;
        }
        let (ended, _) = world.ended(run).await;
        assert_eq!((ended.status, ended.error_code.as_deref()), (RunStatus::Failed, Some("server_restarted")));
    }
}
