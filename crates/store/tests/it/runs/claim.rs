use std::collections::HashSet;

use store::{CancelRequest, WriteContext};

use super::{LEASE, a_run, claim};
use crate::world::World;

#[tokio::test]
async fn runs_are_claimed_in_the_order_of_their_coming_each_once() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let first = a_run(&world.store, &ada.scope).await;
        world.clock.advance(LEASE);
        let second = a_run(&world.store, &ada.scope).await;
        assert_eq!(claim(&world.store).await.spec.run, first.id);
        assert_eq!(claim(&world.store).await.spec.run, second.id);
        assert!(world.store.system().claim_run("worker-2", LEASE).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn two_nodes_share_the_work_without_taking_a_run_twice() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let mut waiting = HashSet::new();
        for _ in 0..12 {
            waiting.insert(a_run(&world.store, &ada.scope).await.id);
        }
        let other = world.another_node().await;
        let work = async |store: &store::Store, name| {
            let mut taken = Vec::new();
            while let Some(claimed) = store.system().claim_run(name, LEASE).await.unwrap() {
                taken.push(claimed.spec.run);
            }
            taken
        };
        let (left, right) = tokio::join!(work(&world.store, "left"), work(&other, "right"));
        assert_eq!(left.len() + right.len(), 12);
        assert_eq!(left.into_iter().chain(right).collect::<HashSet<_>>(), waiting);
    }
}

#[tokio::test]
async fn a_run_cancelled_while_it_waited_is_passed_over() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (cancelled, next) = (a_run(&world.store, &ada.scope).await, a_run(&world.store, &ada.scope).await);
        let write = world.store.write(&ada.scope, WriteContext::internal()).await.unwrap();
        assert_eq!(write.runs().request_cancel(cancelled.id).await.unwrap(), CancelRequest::Ended);
        write.commit().await.unwrap();
        assert_eq!(claim(&world.store).await.spec.run, next.id);
    }
}
