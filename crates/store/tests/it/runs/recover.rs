use std::time::Duration;

use domain::RunStatus;
use store::{Appended, HeldLease, RunEnding, WriteContext};

use super::{LEASE, a_run, a_running_run, claim, get, started};
use crate::world::World;

#[tokio::test]
async fn a_lease_holds_while_it_is_extended_and_runs_out_when_it_is_not() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (claimed, _) = a_running_run(&world.store, &ada.scope).await;
        for _ in 0..3 {
            world.clock.advance(Duration::from_secs(29));
            let held = world.store.system().extend_run_leases(vec![claimed.lease.clone()], LEASE).await.unwrap();
            assert_eq!(held, [HeldLease { run: claimed.spec.run, is_cancel_requested: false }]);
            assert!(world.store.system().expired_runs(10).await.unwrap().is_empty());
        }
        world.clock.advance(LEASE + Duration::from_millis(1));
        // A later life of the server on the same database.
        let again = world.another_node().await;
        let expired = again.system().expired_runs(10).await.unwrap();
        assert_eq!((expired.len(), expired[0].is_started, expired[0].lease.run()), (1, true, claimed.spec.run));
    }
}

#[tokio::test]
async fn a_worker_that_comes_back_late_keeps_its_run_if_nobody_has_recovered_it() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (claimed, _) = a_running_run(&world.store, &ada.scope).await;
        world.clock.advance(LEASE + Duration::from_secs(1));
        let expired = world.store.system().expired_runs(10).await.unwrap().remove(0);
        let held = world.store.system().extend_run_leases(vec![claimed.lease.clone()], LEASE).await.unwrap();
        assert_eq!(held.len(), 1);
        let write = world.store.write(&expired.scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.runs().finish(&expired.lease, &RunEnding::default()).await.unwrap(), None);
        drop(write);
        assert_eq!(get(&world.store, &ada.scope, claimed.spec.run).await.status, RunStatus::Running);
    }
}

#[tokio::test]
async fn a_run_that_had_not_started_goes_to_another_worker_and_the_first_one_is_out() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        a_run(&world.store, &ada.scope).await;
        let first = claim(&world.store).await;
        world.clock.advance(LEASE + Duration::from_secs(1));
        let expired = world.store.system().expired_runs(10).await.unwrap().remove(0);
        assert!(!expired.is_started);
        let write = world.store.write(&expired.scope, WriteContext::internal()).await.unwrap();
        assert!(write.runs().requeue(&expired.lease).await.unwrap());
        write.commit().await.unwrap();
        let write = world.store.write(&expired.scope, WriteContext::internal()).await.unwrap();
        assert!(!write.runs().requeue(&expired.lease).await.unwrap(), "once is enough");
        drop(write);

        let second = world.store.system().claim_run("worker-2", LEASE).await.unwrap().unwrap();
        assert_eq!((second.spec.run, second.lease.epoch()), (first.spec.run, first.lease.epoch() + 1));
        let system = world.store.system();
        assert_eq!(system.append_to_run(&first.lease, 2, &[started()]).await.unwrap(), Appended::LeaseLost);
        assert_eq!(system.extend_run_leases(vec![first.lease.clone()], LEASE).await.unwrap(), []);
        let write = world.store.write(&first.scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.runs().finish(&first.lease, &RunEnding::default()).await.unwrap(), None);
        drop(write);
        super::append(&world.store, &second.lease, 2, &[started()]).await;
    }
}
