//! On PostgreSQL the policies hold also where the repositories' filters are left out.

use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;
use store::{CancelRequest, Page, RunEnding, RunEntry, RunFilter, Store, WriteContext};
use wire::control::MemoryWrite;
use wire::run_event::RunEvent;

use super::{a_run, a_running_run, append, get};
use crate::world::{Engine, World};

const TABLES: [&str; 7] = ["runs", "run_specs", "ledger_entries", "run_states", "memories", "run_totals", "events"];

/// A successful run that leaves state, memory and a ledger row, on a store that stamps its rows.
pub(crate) async fn lived(store: &Store, scope: &store::AppScope) -> domain::RunId {
    let (claimed, seq) = a_running_run(store, scope).await;
    let state = RunEntry::Event(RunEvent::StateSet { state: json!("private") });
    append(store, &claimed.lease, seq, &[super::open(1, 5), state]).await;
    let write = store.write(&claimed.scope, WriteContext::internal()).await.unwrap();
    let memories = vec![MemoryWrite { key: None, text: "private".to_owned() }];
    write.runs().finish(&claimed.lease, &RunEnding { failure: None, memories }).await.unwrap().unwrap();
    write.commit().await.unwrap();
    claimed.spec.run
}

#[tokio::test]
async fn without_the_filters_the_database_still_keeps_tenants_and_end_users_apart() {
    for world in World::each_with(|options| options.unlocked = TABLES.to_vec()).await {
        if world.engine == Engine::Sqlite {
            continue;
        }
        let locked = world.another_node().await;
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let (_, carol) = world.end_user(&ada, "carol").await;
        let (_, dave) = world.end_user(&ada, "dave").await;
        let run = lived(&locked, &carol).await;
        let waiting = a_run(&locked, &carol).await.id;
        let agent: domain::PackageName = "@acme/agent".parse().unwrap();

        for stranger in [&dave, &bob.scope, &dave.for_run(), &bob.scope.for_run()] {
            let read = world.store.read(stranger).await.unwrap();
            assert_eq!(read.runs().get(run).await.unwrap(), None);
            assert_eq!(read.runs().list(&RunFilter { agent: Some(agent.clone()), status: None }, Page::FIRST).await.unwrap().total, 0);
            assert_eq!(read.run_events().after(run, 0, 100).await.unwrap(), []);
            assert_eq!(read.states().previous(&agent).await.unwrap(), None);
            assert_eq!(read.memories().of_run(&agent).await.unwrap(), []);
            assert!(world.store.follow_run(stranger, run, 0).await.unwrap().is_none());
            drop(read);
            let write = world.store.write(stranger, WriteContext::internal()).await.unwrap();
            assert_eq!(write.runs().request_cancel(waiting).await.unwrap(), CancelRequest::Unknown);
            write.commit().await.unwrap();
        }
        let read = world.store.read(&carol).await.unwrap();
        assert!(read.runs().get(run).await.unwrap().is_some(), "the policies let the owner through");
        assert_eq!(read.memories().of_run(&agent).await.unwrap().len(), 1);
        drop(read);
        assert_eq!(get(&locked, &carol, waiting).await.status, domain::RunStatus::Pending);
    }
}

#[tokio::test]
async fn lists_and_polls_walk_an_index() {
    for world in World::each().await {
        if world.engine == Engine::Postgres {
            // With a handful of rows its planner prefers to read the table.
            continue;
        }
        let raw = world.raw().await;
        for (query, index) in [
            ("SELECT * FROM runs WHERE org_id = 'o' AND app_id = 'a' ORDER BY created_at DESC, id DESC LIMIT 20", "runs_newest "),
            (
                "SELECT * FROM runs WHERE org_id = 'o' AND app_id = 'a' AND end_user_id = 'e' ORDER BY created_at DESC, id DESC LIMIT 20",
                "runs_newest_of_end_user ",
            ),
            (
                "SELECT * FROM runs WHERE org_id = 'o' AND app_id = 'a' AND agent = 'x' ORDER BY created_at DESC, id DESC LIMIT 20",
                "runs_newest_of_agent ",
            ),
            ("SELECT * FROM runs WHERE lease_until < 5 ORDER BY lease_until LIMIT 100", "runs_leased "),
            ("SELECT * FROM runs WHERE lease_worker = 'w' AND cancel_requested_at IS NOT NULL", "runs_cancelling "),
            ("SELECT * FROM events WHERE run_id = 'r' AND seq > 3 ORDER BY seq LIMIT 100", "events_run_id_seq "),
            (
                "SELECT * FROM audit_entries WHERE org_id = 'o' AND app_id IS NULL ORDER BY created_at DESC, id DESC LIMIT 20",
                "audit_entries_by_org_alone ",
            ),
            (
                "SELECT count(*) FROM audit_entries WHERE seal IS NULL AND COALESCE(app_id, org_id, 'platform') = 'a' AND COALESCE(org_id, '') = 'o'",
                "audit_entries_unsealed",
            ),
        ] {
            let statement = Statement::from_string(raw.get_database_backend(), format!("EXPLAIN QUERY PLAN {query}"));
            let rows = raw.query_all_raw(statement).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
            assert!(plan.len() == 1 && plan[0].contains(index), "{query}: {plan:?}");
        }
        raw.close().await.unwrap();
    }
}
