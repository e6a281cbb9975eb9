//! Transactions: all or nothing, one writer at a time on SQLite, nobody locked out.

use std::sync::Arc;

use domain::Clock as _;
use futures::FutureExt as _;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use store::{EndUserFilter, EventCursor, NewEndUser, NewEvent, Page, WriteContext};

use crate::world::{Engine, World};

fn named(name: &str) -> NewEndUser {
    NewEndUser { external_id: Some(name.to_owned()), ..NewEndUser::default() }
}

#[tokio::test]
async fn a_dropped_write_leaves_nothing() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        write.end_users().create(named("ghost")).await.unwrap();
        let event =
            NewEvent { kind: "ghost".to_owned(), subject: "x".to_owned(), end_user: None, run: None, data: serde_json::Value::Null };
        write.emit(event).await.unwrap();
        drop(write);
        let read = world.store.read(&acme.scope).await.unwrap();
        assert_eq!(read.end_users().list(&EndUserFilter::default(), Page::FIRST).await.unwrap().total, 0);
        assert_eq!(read.events().after(EventCursor::START, 10).await.unwrap(), vec![]);
    }
}

#[tokio::test]
async fn a_read_cannot_write_and_its_connection_is_clean_afterwards() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        for _ in 0..20 {
            let read = world.store.read(&acme.scope).await.unwrap();
            assert!(read.organization().get().await.unwrap().is_some());
        }
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        write.end_users().create(named("after")).await.unwrap();
        write.commit().await.unwrap();
    }
}

#[tokio::test]
async fn whoever_gives_up_while_a_transaction_begins_leaves_nothing_open() {
    for world in World::each_with(|options| options.connections = 2).await {
        let acme = world.tenant("acme").await;
        for round in 0..24_u32 {
            let mut read = Box::pin(world.store.read(&acme.scope));
            for _ in 0..=round % 4 {
                if futures::poll!(read.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(read);
            let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
            write.end_users().create(named(&round.to_string())).await.unwrap();
            write.commit().await.unwrap();
        }
        let read = world.store.read(&acme.scope).await.unwrap();
        assert_eq!(read.end_users().list(&EndUserFilter::default(), Page::FIRST).await.unwrap().total, 24);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_writers_and_readers_all_get_through() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (store, scope) = (world.store.clone(), acme.scope);
        let mut tasks = tokio::task::JoinSet::new();
        for worker in 0..16 {
            let store = store.clone();
            tasks.spawn(async move {
                for n in 0..10 {
                    let write = store.write(&scope, WriteContext::internal()).await.unwrap();
                    // Reading first is what turns a deferred transaction into SQLITE_BUSY_SNAPSHOT.
                    write.end_users().list(&EndUserFilter::default(), Page::FIRST).await.unwrap();
                    write.end_users().create(named(&format!("{worker}-{n}"))).await.unwrap();
                    write.commit().await.unwrap();
                    let read = store.read(&scope).await.unwrap();
                    read.end_users().list(&EndUserFilter::default(), Page::FIRST).await.unwrap();
                    drop(read);
                    let event = NewEvent {
                        kind: "t".to_owned(),
                        subject: "x".to_owned(),
                        end_user: None,
                        run: None,
                        data: serde_json::Value::Null,
                    };
                    store.system().append_event(&scope, event).await.unwrap();
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        world.settle().await;
        let read = store.read(&scope).await.unwrap();
        assert_eq!(read.end_users().list(&EndUserFilter::default(), Page::FIRST).await.unwrap().total, 160);
        assert_eq!(read.events().after(EventCursor::START, 1_000).await.unwrap().len(), 160);
    }
}

#[tokio::test]
async fn requests_go_before_the_second_lane_but_not_more_than_eight() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Sqlite) {
        let acme = world.tenant("acme").await;
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let held = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();

        let (store, scope, seen) = (world.store.clone(), acme.scope, Arc::clone(&order));
        let queued = tokio::spawn(async move {
            let event =
                NewEvent { kind: "queued".to_owned(), subject: "x".to_owned(), end_user: None, run: None, data: serde_json::Value::Null };
            store.system().append_event(&scope, event).await.unwrap();
            seen.lock().unwrap().push("queued");
        });
        // The background task stands in line before the requests come.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let mut requests = Vec::new();
        for _ in 0..20 {
            let (store, scope, seen) = (world.store.clone(), acme.scope, Arc::clone(&order));
            let mut request = Box::pin(async move {
                let write = store.write(&scope, WriteContext::internal()).await.unwrap();
                seen.lock().unwrap().push("request");
                write.commit().await.unwrap();
            });
            assert!(request.as_mut().now_or_never().is_none(), "the writer is held");
            requests.push(tokio::spawn(request));
        }
        drop(held);
        for request in requests {
            request.await.unwrap();
        }
        queued.await.unwrap();
        let order = order.lock().unwrap();
        let place = order.iter().position(|name| *name == "queued").unwrap();
        // Its turn is the ninth; its caller notices a moment later, while the next requests go on.
        assert!((8..20).contains(&place), "{place}");
    }
}

#[tokio::test]
async fn bytes_are_found_by_their_checksum() {
    for world in World::each().await {
        let key = world.store.blobs().put("package".into()).await.unwrap();
        assert_eq!(world.store.blobs().get(key).await.unwrap().as_deref(), Some(&b"package"[..]));
    }
}

#[tokio::test]
async fn the_clock_can_follow_the_databases() {
    for world in World::each_with(|options| options.follow_database_clock = true).await {
        let ahead = world.store.clock().now() - world.clock.now();
        match world.engine {
            Engine::Sqlite => assert_eq!(ahead, chrono::TimeDelta::zero()),
            Engine::Postgres => {
                let raw = world.raw().await;
                let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
                let row = raw.query_one_raw(Statement::from_string(DbBackend::Postgres, now)).await.unwrap().unwrap();
                let distance = row.try_get_by_index::<i64>(0).unwrap() - world.store.clock().now().timestamp_millis();
                // The test's own clock stands still, so the time since the connect shows.
                assert!((0..60_000).contains(&distance), "{distance}");
            }
        }
    }
}

#[tokio::test]
async fn a_database_that_cannot_do_it_now_is_unavailable_and_not_our_defect() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let raw = world.raw().await;
        for code in ["25006", "53100", "53200", "53300", "57014", "57P01", "40001", "55P03"] {
            let raise = format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$");
            let error = store::StoreError::from(raw.execute_unprepared(&raise).await.unwrap_err());
            assert!(matches!(error, store::StoreError::Unavailable { .. }), "{code}: {error:?}");
        }
        for code in ["42601", "22021", "XX000"] {
            let raise = format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$");
            let error = store::StoreError::from(raw.execute_unprepared(&raise).await.unwrap_err());
            assert!(matches!(error, store::StoreError::Database { .. }), "{code}: {error:?}");
        }
    }
}
