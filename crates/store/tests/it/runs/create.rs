use domain::RunStatus;
use serde_json::json;
use store::{Page, Refused, RunFilter, StoreError, WriteContext};

use super::{a_run, claim, create, get, names, new_run, records};
use crate::world::World;

#[tokio::test]
async fn an_accepted_run_has_its_row_its_event_and_a_worker_to_come() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let (end_user, scope) = world.end_user(&ada, "carol").await;
        let new = new_run(&scope);
        let run = create(&world.store, &scope, &new).await;

        assert_eq!(run, get(&world.store, &scope, run.id).await);
        assert_eq!((run.status, run.end_user, run.version.as_deref()), (RunStatus::Pending, Some(end_user), Some("1.0.0")));
        assert_eq!((run.input, run.created_at), (json!({"question": "why"}), world.store.clock().now()));
        assert_eq!(names(&records(&world.store, &scope, run.id).await), [(1, "run.created")]);

        let claimed = claim(&world.store).await;
        assert_eq!(claimed.spec, new.spec);
        assert_eq!((claimed.scope.reach(), claimed.next_seq), (scope.reach(), 2));
    }
}

#[tokio::test]
async fn a_run_that_is_rolled_back_never_was() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let write = world.store.write(&ada.scope, WriteContext::internal()).await.unwrap();
        write.runs().create(&new_run(&ada.scope), 10).await.unwrap().unwrap();
        drop(write);
        assert!(world.store.system().claim_run("worker-1", super::LEASE).await.unwrap().is_none());
        let read = world.store.read(&ada.scope).await.unwrap();
        assert_eq!(read.runs().list(&RunFilter::default(), Page::FIRST).await.unwrap().total, 0);
    }
}

#[tokio::test]
async fn an_organization_has_no_more_active_runs_than_it_may_and_a_place_comes_back() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let try_one = async |scope| {
            let write = world.store.write(scope, WriteContext::internal()).await.unwrap();
            let result = write.runs().create(&new_run(scope), 2).await.unwrap();
            if result.is_ok() {
                write.commit().await.unwrap();
            }
            result
        };
        let first = try_one(&ada.scope).await.unwrap();
        try_one(&ada.scope).await.unwrap();
        assert_eq!(try_one(&ada.scope).await, Err(Refused));
        assert!(try_one(&bob.scope).await.is_ok(), "another organization has its own places");

        let write = world.store.write(&ada.scope, WriteContext::internal()).await.unwrap();
        write.runs().request_cancel(first.id).await.unwrap();
        write.commit().await.unwrap();
        assert!(try_one(&ada.scope).await.is_ok());
        assert_eq!(try_one(&ada.scope).await, Err(Refused));
    }
}

#[tokio::test]
async fn concurrent_starts_do_not_pass_the_limit_together() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let start = async || {
            let write = world.store.write(&ada.scope, WriteContext::internal()).await.unwrap();
            let is_accepted = write.runs().create(&new_run(&ada.scope), 3).await.unwrap().is_ok();
            if is_accepted {
                write.commit().await.unwrap();
            }
            is_accepted
        };
        let accepted = futures::future::join_all((0..8).map(|_| start())).await;
        assert_eq!(accepted.into_iter().filter(|is_accepted| *is_accepted).count(), 3);
    }
}

#[tokio::test]
async fn a_spec_of_another_tenant_or_end_user_is_out_of_reach() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let (_, carol) = world.end_user(&ada, "carol").await;
        for (scope, foreign) in [(&ada.scope, &bob.scope), (&ada.scope, &carol), (&carol, &ada.scope)] {
            let write = world.store.write(scope, WriteContext::internal()).await.unwrap();
            let refused = write.runs().create(&new_run(foreign), 10).await;
            assert!(matches!(refused, Err(StoreError::OutOfReach)), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn end_users_see_their_own_runs_and_the_application_sees_all() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let (_, carol) = world.end_user(&ada, "carol").await;
        let (_, dave) = world.end_user(&ada, "dave").await;
        let mut made = Vec::new();
        for scope in [&ada.scope, &carol, &dave, &carol] {
            world.clock.advance(std::time::Duration::from_millis(5));
            made.push(a_run(&world.store, scope).await.id);
        }
        let seen = async |scope| {
            let read = world.store.read(scope).await.unwrap();
            let list = read.runs().list(&RunFilter::default(), Page::FIRST).await.unwrap();
            assert_eq!(list.total, list.items.len() as u64);
            list.items.into_iter().map(|run| run.id).collect::<Vec<_>>()
        };
        assert_eq!(seen(&ada.scope).await, [made[3], made[2], made[1], made[0]]);
        assert_eq!(seen(&carol).await, [made[3], made[1]]);
        assert_eq!(seen(&dave).await, [made[2]]);
        assert_eq!(seen(&bob.scope).await, []);
        let read = world.store.read(&dave).await.unwrap();
        assert_eq!(read.runs().get(made[1]).await.unwrap(), None);
        assert_eq!(read.run_events().after(made[1], 0, 10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn lists_narrow_by_agent_and_status() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let mut other = new_run(&ada.scope);
        other.spec.agent = "@acme/other".parse().unwrap();
        let other = create(&world.store, &ada.scope, &other).await;
        let mut inline = new_run(&ada.scope);
        inline.spec.version = None;
        let inline = create(&world.store, &ada.scope, &inline).await;
        assert_eq!(inline.agent, None, "an inline run is nobody's");
        let run = a_run(&world.store, &ada.scope).await;
        claim(&world.store).await;

        let read = world.store.read(&ada.scope).await.unwrap();
        let list = async |filter| read.runs().list(&filter, Page::FIRST).await.unwrap();
        let by_agent = list(RunFilter { agent: other.agent.clone(), status: None }).await;
        assert_eq!((by_agent.total, by_agent.items[0].id), (1, other.id));
        let by_agent = list(RunFilter { agent: run.agent.clone(), status: Some(RunStatus::Pending) }).await;
        assert_eq!((by_agent.total, by_agent.items[0].id), (1, run.id));
        assert_eq!(list(RunFilter { agent: None, status: Some(RunStatus::Failed) }).await.total, 0);
        assert_eq!(list(RunFilter::default()).await.total, 3);
    }
}
