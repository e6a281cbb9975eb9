use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use store::{RunEnding, WriteContext};

use super::{a_run, a_running_run, claim};
use crate::world::World;

async fn number(raw: &DatabaseConnection, sql: &str) -> i64 {
    let row = raw.query_one_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn counters_agree(raw: &DatabaseConnection) {
    let counted = number(raw, "SELECT CAST(coalesce(sum(total), 0) AS BIGINT) FROM run_totals WHERE owner = ''").await;
    assert_eq!(counted, number(raw, "SELECT count(*) FROM runs").await);
    let owned = number(raw, "SELECT CAST(coalesce(sum(total), 0) AS BIGINT) FROM run_totals WHERE owner <> ''").await;
    assert_eq!(owned, number(raw, "SELECT count(*) FROM runs WHERE end_user_id IS NOT NULL").await);
    let active = number(raw, "SELECT CAST(coalesce(sum(active), 0) AS BIGINT) FROM run_activity").await;
    assert_eq!(active, number(raw, "SELECT count(*) FROM runs WHERE status IN ('pending', 'running')").await);
}

#[tokio::test]
async fn counters_say_what_counting_would_also_after_cascades() {
    for world in World::each().await {
        let (ada, bob) = (world.tenant("ada").await, world.tenant("bob").await);
        let (carol, carols) = world.end_user(&ada, "carol").await;
        let raw = world.raw().await;
        for scope in [&ada.scope, &carols, &bob.scope] {
            let (claimed, _) = a_running_run(&world.store, scope).await;
            let write = world.store.write(&claimed.scope, WriteContext::internal()).await.unwrap();
            assert!(write.runs().finish(&claimed.lease, &RunEnding::default()).await.unwrap().is_some());
            write.commit().await.unwrap();
        }
        for scope in [&ada.scope, &carols, &carols, &bob.scope] {
            a_run(&world.store, scope).await;
        }
        counters_agree(&raw).await;
        assert_eq!(number(&raw, "SELECT count(*) FROM runs").await, 7);

        let write = world.store.write(&ada.scope, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().delete(carol).await.unwrap());
        write.commit().await.unwrap();
        assert_eq!(number(&raw, "SELECT count(*) FROM runs").await, 4, "her runs go with her");
        counters_agree(&raw).await;

        raw.execute_unprepared(&format!("DELETE FROM organizations WHERE id = '{}'", bob.org)).await.unwrap();
        counters_agree(&raw).await;
        // The jobs of runs that are gone are passed over.
        assert_eq!(claim(&world.store).await.spec.org, ada.org);
        assert!(world.store.system().claim_run("worker-1", super::LEASE).await.unwrap().is_none());
        raw.close().await.unwrap();
    }
}
