//! A repeated request is answered, not repeated.

use std::sync::Arc;
use std::time::Duration;

use store::{Draft, Earlier, Opened, ReplyForm, StoreError, WriteContext, constraint};

use crate::request::{Request, counts, create};
use crate::world::{Engine, World};

fn made() -> Draft {
    Draft { status: 201, body: Some(b"made".to_vec()), location: Some("/api/end-users/eu_1".to_owned()) }
}

#[tokio::test]
async fn the_same_request_is_answered_with_the_same_bytes_for_a_day() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (store, request) = (&world.store, Request::new(&acme, "k"));
        let write = request.open(store).await;
        create(&write).await;
        write.answer(made()).await.unwrap();
        assert_eq!(counts(&world, &acme).await, (1, 1));

        world.clock.advance(Duration::from_secs(24 * 3600 - 1));
        for _ in 0..3 {
            assert_eq!(request.earlier(store).await, Some(Earlier::Answered(made())));
        }
        assert_eq!(request.changed().earlier(store).await, Some(Earlier::Mismatch));

        world.clock.advance(Duration::from_secs(1));
        let write = request.changed().open(store).await;
        write.reply(204, None).await.unwrap();
        let forgotten = Earlier::Answered(Draft { status: 204, body: None, location: None });
        assert_eq!(request.changed().earlier(store).await, Some(forgotten), "a key is free again after a day");
    }
}

/// A refusal before the handler is kept in the caller's application; a route of the organization keeps its success there.
#[tokio::test]
async fn a_key_is_free_after_a_day_also_in_another_scope() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let (store, request) = (&world.store, Request::new(&acme, "k"));
        let refused = Draft { status: 422, body: Some(b"no".to_vec()), location: None };
        store.settle(&acme.scope, &request.claimed(store).await, &refused).await.unwrap();
        assert_eq!(request.earlier(store).await, Some(Earlier::Answered(refused.clone())));

        world.clock.advance(Duration::from_hours(24));
        let context = WriteContext::internal().under(Some(request.claimed(store).await));
        let write = store.begin_write(&acme.org_scope, context).await.unwrap().fresh().unwrap();
        write.answer(made()).await.unwrap();
        assert_eq!(request.earlier(store).await, Some(Earlier::Answered(made())), "{:?}", world.engine);

        world.clock.advance(Duration::from_hours(24));
        store.settle(&acme.scope, &request.claimed(store).await, &refused).await.unwrap();
        assert_eq!(request.earlier(store).await, Some(Earlier::Answered(refused)), "{:?}", world.engine);
    }
}

#[tokio::test]
async fn records_are_deleted_after_a_day_in_batches() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let raw = world.raw().await;
        Request::new(&acme, "old").open(&world.store).await.reply(204, None).await.unwrap();
        let copy = "INSERT INTO idempotency_records (id, org_id, app_id, fingerprint, status, created_at) WITH RECURSIVE n (i) AS (SELECT 1 \
                    UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT 'copy' || i, org_id, app_id, fingerprint, status, created_at FROM \
                    idempotency_records, n";
        sea_orm::ConnectionTrait::execute_unprepared(&raw, copy).await.unwrap();
        assert_eq!(world.store.system().prune_idempotency().await.unwrap(), 0, "nothing is that old yet");
        world.clock.advance(Duration::from_secs(24 * 3600 - 1));
        Request::new(&acme, "young").open(&world.store).await.reply(204, None).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(world.store.system().prune_idempotency().await.unwrap(), 2_501);
        assert!(Request::new(&acme, "young").earlier(&world.store).await.is_some());
    }
}

#[tokio::test]
async fn a_key_is_separate_for_each_tenant() {
    for world in World::each().await {
        let (acme, globex) = (world.tenant("acme").await, world.tenant("globex").await);
        Request::new(&acme, "k").open(&world.store).await.reply(204, None).await.unwrap();
        assert_eq!(Request::new(&globex, "k").changed().earlier(&world.store).await, None);
        assert!(matches!(Request::new(&acme, "k").earlier(&world.store).await, Some(Earlier::Answered(_))));
    }
}

#[tokio::test]
async fn a_request_in_flight_refuses_its_repetition_also_on_another_node() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let request = Request::new(&acme, "k");
        let claim = request.claimed(&world.store).await;
        assert_eq!(request.earlier(&world.store).await, Some(Earlier::InFlight), "from the claim on, before any write");
        assert_eq!(request.changed().earlier(&world.store).await, Some(Earlier::Mismatch));
        let write = request.begin(&world.store, &claim).await.fresh().unwrap();
        if world.engine == Engine::Postgres {
            let other = world.another_node().await;
            let claim = request.claimed(&other).await;
            assert!(matches!(request.begin(&other, &claim).await, Opened::Earlier(Earlier::InFlight)));
        }
        drop((write, claim));
        // On PostgreSQL the dropped transaction ends a moment later, on its own connection.
        loop {
            let claim = request.claimed(&world.store).await;
            match request.begin(&world.store, &claim).await {
                Opened::Fresh(_) => break,
                Opened::Earlier(Earlier::InFlight) => {}
                Opened::Earlier(earlier) => panic!("a dropped attempt leaves no trace: {earlier:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_answer_of_another_node_is_seen_under_the_lock() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let acme = world.tenant("acme").await;
        let (other, request) = (world.another_node().await, Request::new(&acme, "k"));
        // Both nodes have found the key free.
        let (here, there) = (request.claimed(&world.store).await, request.claimed(&other).await);
        request.begin(&other, &there).await.fresh().unwrap().answer(made()).await.unwrap();
        let Opened::Earlier(earlier) = request.begin(&world.store, &here).await else { panic!("done twice") };
        assert_eq!(earlier, Earlier::Answered(made()));
    }
}

#[tokio::test]
async fn no_second_effect_commits_beside_a_record_even_past_every_lock() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let request = Request::new(&acme, "k");
        let claim = request.claimed(&world.store).await;
        request.begin(&world.store, &claim).await.fresh().unwrap().answer(made()).await.unwrap();
        // A write that was opened without looking at the key, as nobody does.
        let write = world.store.write(request.scope(), WriteContext::internal().under(Some(claim))).await.unwrap();
        create(&write).await;
        let refused = write.answer(made()).await.unwrap_err();
        assert!(refused.is_conflict(constraint::IDEMPOTENCY_KEY), "{refused:?}");
        assert_eq!(counts(&world, &acme).await.0, 0);
    }
}

#[tokio::test]
async fn a_refusal_changes_nothing_but_is_audited_and_repeated_if_it_would_be_the_same() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        for (key, status, is_kept) in [("a", 422, true), ("b", 409, false), ("c", 429, false), ("d", 500, false), ("e", 404, true)] {
            let before = counts(&world, &acme).await;
            let request = Request::new(&acme, key);
            let write = request.open(&world.store).await;
            create(&write).await;
            write.reply(status, Some(b"no".to_vec())).await.unwrap();
            let after = counts(&world, &acme).await;
            assert_eq!((after.0, after.1), (before.0, before.1 + 1), "{status}");
            assert_eq!(request.earlier(&world.store).await.is_some(), is_kept, "{status}");
        }
    }
}

#[tokio::test]
async fn a_refusal_without_a_write_is_kept_too_also_right_after_a_dropped_one() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        for (key, status, is_kept) in [("a", 422, true), ("b", 404, true), ("c", 403, false), ("d", 409, false), ("e", 500, false)] {
            let request = Request::new(&acme, key);
            let claim = request.claimed(&world.store).await;
            drop(request.begin(&world.store, &claim).await.fresh().unwrap());
            let refusal = Draft { status, body: Some(b"no".to_vec()), location: None };
            world.store.settle(request.scope(), &claim, &refusal).await.unwrap();
            assert_eq!(claim.is_settled(), is_kept, "{status}");
            drop(claim);
            let told = request.earlier(&world.store).await;
            assert_eq!(told, is_kept.then_some(Earlier::Answered(refusal)), "{status}");
        }
        // An answer that a write has given is not replaced.
        let request = Request::new(&acme, "answered");
        let claim = request.claimed(&world.store).await;
        request.begin(&world.store, &claim).await.fresh().unwrap().answer(made()).await.unwrap();
        world.store.settle(request.scope(), &claim, &Draft { status: 422, body: None, location: None }).await.unwrap();
        drop(claim);
        assert_eq!(request.earlier(&world.store).await, Some(Earlier::Answered(made())));
    }
}

#[derive(Debug)]
struct Older;

impl ReplyForm for Older {
    fn put(&self, draft: Draft) -> Draft {
        Draft { status: 200, location: None, ..draft }
    }
}

#[tokio::test]
async fn an_answer_is_kept_and_audited_in_the_form_in_which_it_leaves() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let request = Request::new(&acme, "k");
        let claim = request.claimed(&world.store).await;
        let context = WriteContext::internal().under(Some(claim)).answered_in(Some(Arc::new(Older)));
        let write = world.store.begin_write(request.scope(), context).await.unwrap().fresh().unwrap();
        let reply = write.answer(made()).await.unwrap();
        assert_eq!((reply.status, reply.location), (200, None));
        let kept = Draft { status: 200, body: Some(b"made".to_vec()), location: None };
        assert_eq!(request.earlier(&world.store).await, Some(Earlier::Answered(kept)));
    }
}

#[tokio::test]
async fn bodies_are_sealed_for_their_own_record() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        for key in ["one", "two"] {
            let body = format!("the body of {key}").into_bytes();
            Request::new(&acme, key).open(&world.store).await.reply(201, Some(body)).await.unwrap();
        }
        let raw = world.raw().await;
        let execute = async |sql: &str| sea_orm::ConnectionTrait::execute_unprepared(&raw, sql).await.unwrap();
        let hidden =
            execute("UPDATE idempotency_records SET status = 201 WHERE body IS NOT NULL AND CAST(body AS TEXT) LIKE '%body of%'").await;
        assert_eq!(hidden.rows_affected(), 0, "a body lies open");
        execute("UPDATE idempotency_records SET body = (SELECT body FROM idempotency_records ORDER BY id LIMIT 1)").await;
        let mut broken = 0;
        for key in ["one", "two"] {
            let request = Request::new(&acme, key);
            broken += usize::from(matches!(request.try_claim(&world.store).await, Err(StoreError::Seal(_))));
        }
        assert_eq!(broken, 1, "a body that was moved to another record does not open");
    }
}
