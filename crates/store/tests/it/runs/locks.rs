//! Whoever creates or ends a run and whoever deletes what it belongs to take their locks in one order: none of them dies of the other.
//! PostgreSQL only: SQLite has one writer. The deletion is played statement by statement.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, TransactionTrait as _};
use store::{RunEnding, WriteContext};
use wire::control::MemoryWrite;

use super::{a_run, a_running_run, new_run};
use crate::world::{Engine, World};

async fn worlds() -> impl Iterator<Item = World> {
    World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres)
}

/// A transaction that has locked what it is about to delete.
async fn deleting(world: &World, table: &str, id: impl std::fmt::Display) -> DatabaseTransaction {
    let deletion = world.raw().await.begin().await.unwrap();
    deletion.execute_unprepared(&format!("SELECT 1 FROM {table} WHERE id = '{id}' FOR UPDATE")).await.unwrap();
    deletion
}

#[tokio::test]
async fn a_run_that_is_created_waits_for_its_end_user_before_it_counts() {
    for world in worlds().await {
        let ada = world.tenant("ada").await;
        let (carol, scope) = world.end_user(&ada, "carol").await;
        a_run(&world.store, &scope).await;
        let deletion = deleting(&world, "end_users", carol).await;
        let store = world.store.clone();
        let created = tokio::spawn(async move {
            let write = store.write(&scope, WriteContext::internal()).await.unwrap();
            write.runs().create(&new_run(&scope), 1_000).await?.unwrap();
            write.commit().await
        });
        world.somebody_waits().await;
        for counter in ["run_activity SET active = active", "run_totals SET total = total"] {
            deletion.execute_unprepared(&format!("UPDATE {counter} WHERE org_id = '{}'", ada.org)).await.unwrap();
        }
        deletion.rollback().await.unwrap();
        created.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_run_that_is_created_waits_for_its_application_before_it_is_in_the_total() {
    for world in worlds().await {
        let ada = world.tenant("ada").await;
        a_run(&world.store, &ada.scope).await;
        let deletion = deleting(&world, "applications", ada.app).await;
        let (store, scope) = (world.store.clone(), ada.scope);
        let created = tokio::spawn(async move {
            let write = store.write(&scope, WriteContext::internal()).await.unwrap();
            // The same shard as the run before, or another: all of them are the deletion's.
            for _ in 0..16 {
                write.runs().create(&new_run(&scope), 1_000).await?.unwrap();
            }
            write.commit().await
        });
        world.somebody_waits().await;
        deletion.execute_unprepared(&format!("DELETE FROM run_totals WHERE app_id = '{}'", ada.app)).await.unwrap();
        deletion.rollback().await.unwrap();
        created.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_run_that_ends_waits_for_its_end_user_before_it_touches_its_row() {
    for world in worlds().await {
        let ada = world.tenant("ada").await;
        let (carol, scope) = world.end_user(&ada, "carol").await;
        let (claimed, _) = a_running_run(&world.store, &scope).await;
        let run = claimed.spec.run;
        let deletion = deleting(&world, "end_users", carol).await;
        let store = world.store.clone();
        let ended = tokio::spawn(async move {
            let write = store.write(&claimed.scope, WriteContext::internal()).await.unwrap();
            let memories = vec![MemoryWrite { key: None, text: "private".to_owned() }];
            let finished = write.runs().finish(&claimed.lease, &RunEnding { failure: None, memories }).await?;
            write.commit().await.map(|()| finished)
        });
        world.somebody_waits().await;
        deletion.execute_unprepared(&format!("DELETE FROM runs WHERE id = '{run}'")).await.unwrap();
        deletion.execute_unprepared(&format!("DELETE FROM end_users WHERE id = '{carol}'")).await.unwrap();
        deletion.commit().await.unwrap();
        assert_eq!(ended.await.unwrap().unwrap(), None, "the run is gone");
    }
}

/// A row that is updated once for each run leaves as many versions behind, and each update walks over all of them.
#[tokio::test]
async fn many_runs_that_go_together_touch_each_counter_once() {
    for world in worlds().await {
        let ada = world.tenant("ada").await;
        let (carol, scope) = world.end_user(&ada, "carol").await;
        for _ in 0..12 {
            a_run(&world.store, &scope).await;
        }
        let raw = world.raw().await;
        raw.execute_unprepared(
            "CREATE TABLE touched (what TEXT);
             CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO touched VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
             GRANT ALL ON touched TO PUBLIC;
             CREATE TRIGGER touch AFTER UPDATE ON run_totals FOR EACH ROW EXECUTE FUNCTION touch();
             CREATE TRIGGER touch AFTER UPDATE ON run_activity FOR EACH ROW EXECUTE FUNCTION touch();",
        )
        .await
        .unwrap();
        let write = world.store.write(&ada.scope, WriteContext::internal()).await.unwrap();
        assert!(write.end_users().delete(carol).await.unwrap());
        write.commit().await.unwrap();
        let rows = sea_orm::Statement::from_string(raw.get_database_backend(), "SELECT what FROM touched ORDER BY what");
        let touched: Vec<String> = raw.query_all_raw(rows).await.unwrap().iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        assert_eq!(touched, ["run_activity", "run_totals", "run_totals"], "the organization's, the application's and the end-user's");
    }
}
