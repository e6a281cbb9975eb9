//! Stopping a run before, during and after.

use domain::RunStatus;
use runs::{Cancelled, RunError};
use wire::control::Outcome;

use crate::fake::Step;
use crate::world::{World, nano};

#[tokio::test]
async fn before_it_starts() {
    for world in World::each().await {
        let run = world.start_run(&world.new_run()).await;
        assert_eq!(world.cancel(run).await.unwrap(), Cancelled::AtOnce);
        let worker = world.worker(vec![Step::End(Outcome::default())]);
        let next = world.start_run(&world.new_run()).await;
        world.ended(next).await;
        let (ended, _) = world.ended(run).await;
        assert_eq!((ended.status, ended.started_at), (RunStatus::Cancelled, None));
        worker.stop().await;
    }
}

#[tokio::test]
async fn during_it_whether_the_sidecar_listens_or_not() {
    for world in World::each().await {
        for last in [Step::Obey, Step::Hang] {
            let worker = world.worker(vec![Step::Open(1, 60), Step::Sandbox, Step::Log("busy"), last]);
            let run = world.start_run(&world.new_run()).await;
            world.reached(run, "log").await;
            assert_eq!(world.cancel(run).await.unwrap(), Cancelled::Requested);
            let (ended, _) = world.ended(run).await;
            assert_eq!((ended.status, ended.error_code.as_deref()), (RunStatus::Cancelled, Some("cancelled")));
            assert_eq!(ended.cost, nano(60), "what may have been spent is kept");
            assert!(ended.cancel_requested_at.is_some());
            worker.stop().await;
        }
    }
}

#[tokio::test]
async fn nobody_stops_because_it_was_woken() {
    for world in World::each().await {
        let worker = world.worker(vec![Step::Log("busy"), Step::Obey]);
        let (left, stopped) = (world.start_run(&world.new_run()).await, world.start_run(&world.new_run()).await);
        world.reached(left, "log").await;
        world.reached(stopped, "log").await;
        // As when a connection between nodes comes back, and everybody looks.
        world.store.live().wake(store::Topic::Cancel(left));
        world.cancel(stopped).await.unwrap();
        assert_eq!(world.ended(stopped).await.0.status, RunStatus::Cancelled);
        assert_eq!(world.run(left).await.status, RunStatus::Running);
        world.cancel(left).await.unwrap();
        world.ended(left).await;
        worker.stop().await;
    }
}

#[tokio::test]
async fn through_another_node() {
    for world in World::each().await {
        let worker = world.worker(vec![Step::Log("busy"), Step::Obey]);
        let run = world.start_run(&world.new_run()).await;
        world.reached(run, "log").await;
        // This store's wakes do not reach the worker, as on another machine.
        let other = world.reopened().await;
        let write = other.write(&world.scope, store::WriteContext::internal()).await.unwrap();
        assert_eq!(runs::cancel(&write, run).await.unwrap(), Cancelled::Requested);
        write.commit().await.unwrap();
        let (ended, _) = world.ended(run).await;
        assert_eq!(ended.status, RunStatus::Cancelled);
        worker.stop().await;
    }
}

#[tokio::test]
async fn after_it() {
    for world in World::each().await {
        let worker = world.worker(vec![Step::End(Outcome::default())]);
        let run = world.start_run(&world.new_run()).await;
        world.ended(run).await;
        let refused = world.cancel(run).await;
        assert!(matches!(refused, Err(RunError::AlreadyEnded { status: RunStatus::Success, .. })), "{refused:?}");
        let unknown = world.cancel(domain::RunId::new(&domain::RandomIds)).await;
        assert!(matches!(unknown, Err(RunError::NotFound(_))), "{unknown:?}");
        worker.stop().await;
    }
}

#[tokio::test]
async fn at_the_same_moment_as_its_end_gives_one_end() {
    for world in World::each().await {
        for _ in 0..10 {
            let worker = world.worker(vec![Step::Log("almost"), Step::End(Outcome::default())]);
            let run = world.start_run(&world.new_run()).await;
            world.reached(run, "log").await;
            let cancelled = world.cancel(run).await;
            let (ended, _) = world.ended(run).await;
            match cancelled {
                Ok(_) => assert!(matches!(ended.status, RunStatus::Success | RunStatus::Cancelled)),
                Err(RunError::AlreadyEnded { status, .. }) => assert_eq!((status, ended.status), (RunStatus::Success, RunStatus::Success)),
                Err(error) => panic!("{error}"),
            }
            worker.stop().await;
        }
    }
}
