//! The second lane: many rows with one statement, and what happens while somebody holds rows that it is about to write (PostgreSQL
//! only: SQLite has one writer and no row locks).

use std::time::Duration;

use domain::RequestId;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use store::{AuditFacts, Page, StoreError, WriteContext};
use tokio::time::timeout;

use crate::runs::{LEASE, a_running_run, append, log};
use crate::world::{Engine, World};

/// Longer than everything here takes, and shorter than for ever.
const PATIENCE: Duration = Duration::from_secs(20);

async fn worlds() -> impl Iterator<Item = World> {
    World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres)
}

fn facts(world: &World) -> AuditFacts {
    AuditFacts {
        request: RequestId::new(world.store.ids()),
        key: None,
        user: None,
        end_user: None,
        permission: "runs:read".to_owned(),
        method: "GET".to_owned(),
        route: "/api/runs".to_owned(),
        subject: None,
        path: "/api/runs".to_owned(),
        ip: None,
        user_agent: None,
        recorded: store::Recorded::default(),
    }
}

#[tokio::test]
async fn a_key_that_somebody_holds_is_passed_over_and_nobody_waits() {
    for world in worlds().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let raw = world.raw().await;
        let held = raw.begin().await.unwrap();
        held.execute_unprepared(&format!("SELECT 1 FROM api_keys WHERE id = '{}' FOR UPDATE", ada.key)).await.unwrap();
        world.store.system().key_used(ada.key);
        world.store.system().key_used(bob.key);
        timeout(PATIENCE, world.store.flush()).await.expect("nobody waits for the key").unwrap();
        held.rollback().await.unwrap();
        let used = async |tenant: &crate::world::Tenant| {
            let read = world.store.read(&tenant.scope).await.unwrap();
            read.api_keys().get(tenant.key).await.unwrap().unwrap().last_used_at
        };
        assert_eq!((used(&ada).await, used(&bob).await), (None, Some(world.store.clock().now())));
        world.store.system().key_used(ada.key);
        world.store.flush().await.unwrap();
        assert!(used(&ada).await.is_some(), "its next use is noted");
    }
}

#[tokio::test]
async fn a_run_that_somebody_holds_stops_neither_other_runs_nor_the_audit_log() {
    for world in worlds().await {
        let ada = world.tenant("ada").await;
        let (blocked, blocked_seq) = a_running_run(&world.store, &ada.scope).await;
        let (free, free_seq) = a_running_run(&world.store, &ada.scope).await;
        let raw = world.raw().await;
        let held = raw.begin().await.unwrap();
        held.execute_unprepared(&format!("SELECT 1 FROM runs WHERE id = '{}' FOR UPDATE", blocked.spec.run)).await.unwrap();

        let system = world.store.system();
        let entries = [log("one")];
        let (stuck, (), next) = timeout(PATIENCE, async {
            tokio::join!(
                system.append_to_run(&blocked.lease, blocked_seq, &entries),
                async { system.append_audit(&ada.scope, &facts(&world), None, 200).await.unwrap() },
                append(&world.store, &free.lease, free_seq, &entries),
            )
        })
        .await
        .expect("nobody waits for the run");
        assert!(matches!(stuck, Err(StoreError::Unavailable { .. })), "{stuck:?}");
        assert_eq!(next, free_seq + 1);
        assert_eq!(world.store.read(&ada.scope).await.unwrap().audit_log(Page::FIRST).await.unwrap().total, 1);

        // Both leases hold: the one is extended, and the other is not told as lost.
        let leases = vec![blocked.lease.clone(), free.lease.clone()];
        let extended = timeout(PATIENCE, system.extend_run_leases(leases, LEASE)).await.expect("nobody waits for the run").unwrap();
        assert_eq!(extended.iter().map(|held| held.run).collect::<Vec<_>>(), [blocked.spec.run, free.spec.run]);
        held.rollback().await.unwrap();
        // The batch that was refused is written once the row is free.
        assert_eq!(append(&world.store, &blocked.lease, blocked_seq, &entries).await, blocked_seq + 1);
    }
}

/// The audit log has a lane of its own: a row of it does not even wait until the other gives up.
#[tokio::test]
async fn an_audit_row_commits_while_the_other_lane_waits() {
    for world in worlds().await {
        let ada = world.tenant("ada").await;
        let (blocked, seq) = a_running_run(&world.store, &ada.scope).await;
        let held = world.store.write(&ada.scope, WriteContext::internal()).await.unwrap();
        assert!(held.runs().request_cancel(blocked.spec.run).await.is_ok(), "holds the row of the run");
        let (store, lease) = (world.store.clone(), blocked.lease.clone());
        let waiting = tokio::spawn(async move { store.system().append_to_run(&lease, seq, &[log("one")]).await });
        world.somebody_waits().await;
        world.store.system().append_audit(&ada.scope, &facts(&world), None, 200).await.unwrap();
        held.commit().await.unwrap();
        waiting.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn rows_of_the_audit_log_that_are_queued_together_are_all_written_once() {
    for world in World::each().await {
        let ada = world.tenant("ada").await;
        let system = world.store.system();
        // More than one statement carries, and a rest of several sizes.
        let all: Vec<_> = (0..61).map(|_| facts(&world)).collect();
        futures::future::try_join_all(all.iter().map(|facts| system.append_audit(&ada.scope, facts, None, 200))).await.unwrap();
        let mut asked: Vec<_> = all.iter().map(|facts| facts.request.to_string()).collect();
        asked.sort();
        let written: Vec<_> = audited(&world, &ada).await.into_iter().filter(|request| asked.contains(request)).collect();
        assert_eq!(written, asked);
    }
}

/// The requests in the audit log of the tenant's application, sorted.
async fn audited(world: &World, tenant: &crate::world::Tenant) -> Vec<String> {
    let raw = world.raw().await;
    let sql = format!("SELECT request_id FROM audit_entries WHERE app_id = '{}'", tenant.app);
    let rows = raw.query_all_raw(sea_orm::Statement::from_string(raw.get_database_backend(), sql)).await.unwrap();
    let mut requests: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    requests.sort();
    requests
}
