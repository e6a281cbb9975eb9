//! A repeated request is answered, not repeated.

use std::time::Duration;

use domain::RequestId;
use store::{AppScope, AuditFacts, EndUserFilter, IdempotencyKey, NewEndUser, Opened, Page, Store, Write, WriteContext};

use crate::world::World;

fn context(store: &Store, key: &str, body: u8) -> WriteContext {
    let facts = AuditFacts {
        request: RequestId::new(store.ids()),
        key: None,
        user: None,
        end_user: None,
        permission: "end-users:write".to_owned(),
        method: "POST".to_owned(),
        route: "/api/end-users".to_owned(),
        path: "/api/end-users".to_owned(),
        ip: None,
        user_agent: None,
    };
    let key = IdempotencyKey {
        key: key.to_owned(),
        method: "POST".to_owned(),
        path: "/api/end-users".to_owned(),
        fingerprint: [body; 32],
        principal: "usr_1".to_owned(),
    };
    WriteContext::of(facts).once(Some(key))
}

async fn open(store: &Store, scope: &AppScope, key: &str, body: u8) -> Opened<AppScope> {
    store.begin_write(scope, context(store, key, body)).await.unwrap()
}

async fn create(write: &Write<AppScope>) {
    write.end_users().create(NewEndUser::default()).await.unwrap();
}

async fn counts(world: &World, scope: &AppScope) -> (u64, u64) {
    let read = world.store.read(scope).await.unwrap();
    (read.end_users().list(&EndUserFilter::default(), Page::FIRST).await.unwrap().total, read.audit_log(Page::FIRST).await.unwrap().total)
}

#[tokio::test]
async fn the_same_request_is_answered_with_the_same_bytes_for_a_day() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let write = open(&world.store, &acme.scope, "k", 1).await.fresh().unwrap();
        create(&write).await;
        write.reply(201, Some(b"made".to_vec())).await.unwrap();
        assert_eq!(counts(&world, &acme.scope).await, (1, 1));

        world.clock.advance(Duration::from_secs(24 * 3600 - 1));
        for _ in 0..3 {
            let Opened::Replay { status, body } = open(&world.store, &acme.scope, "k", 1).await else { panic!("no replay") };
            assert_eq!((status, body.as_deref()), (201, Some(&b"made"[..])));
        }
        assert!(matches!(open(&world.store, &acme.scope, "k", 2).await, Opened::Mismatch));

        world.clock.advance(Duration::from_secs(1));
        assert!(matches!(open(&world.store, &acme.scope, "k", 2).await, Opened::Fresh(_)), "forgotten after a day");
        assert_eq!(world.store.system().prune_idempotency().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_key_is_separate_for_each_tenant_and_end_user() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        let write = open(&world.store, &acme.scope, "k", 1).await.fresh().unwrap();
        write.reply(204, None).await.unwrap();
        assert!(matches!(open(&world.store, &globex.scope, "k", 2).await, Opened::Fresh(_)));
        let Opened::Replay { status, body } = open(&world.store, &acme.scope, "k", 1).await else { panic!("no replay") };
        assert_eq!((status, body), (204, None));
    }
}

#[tokio::test]
async fn a_request_in_flight_refuses_its_repetition_also_on_another_node() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let write = open(&world.store, &acme.scope, "k", 1).await.fresh().unwrap();
        assert!(matches!(open(&world.store, &acme.scope, "k", 1).await, Opened::InFlight));
        if world.engine == crate::world::Engine::Postgres {
            let other = world.another_node().await;
            assert!(matches!(open(&other, &acme.scope, "k", 1).await, Opened::InFlight));
        }
        drop(write);
        // On PostgreSQL the dropped transaction ends a moment later, on its own connection.
        loop {
            match open(&world.store, &acme.scope, "k", 1).await {
                Opened::Fresh(_) => break,
                Opened::InFlight => {}
                Opened::Replay { .. } | Opened::Mismatch => panic!("a dropped attempt leaves no trace"),
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_changes_nothing_but_is_audited_and_repeated_if_it_would_be_the_same() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        for (key, status, is_kept) in [("a", 422, true), ("b", 409, false), ("c", 429, false), ("d", 500, false), ("e", 404, true)] {
            let before = counts(&world, &acme.scope).await;
            let write = open(&world.store, &acme.scope, key, 1).await.fresh().unwrap();
            create(&write).await;
            write.reply(status, Some(b"no".to_vec())).await.unwrap();
            let after = counts(&world, &acme.scope).await;
            assert_eq!((after.0, after.1), (before.0, before.1 + 1), "{status}");
            let again = open(&world.store, &acme.scope, key, 1).await;
            assert_eq!(matches!(again, Opened::Replay { .. }), is_kept, "{status}");
        }
    }
}
