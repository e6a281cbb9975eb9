//! Requests that call out between two transactions, and what becomes of those that are cut off.

use std::time::Duration;

use store::{AppScope, Claim, Draft, Earlier, Intent, NewEndUser, Repeat, Step, Store, StoreError, WriteContext};

use crate::request::{Request, counts, create};
use crate::world::{Engine, Tenant, World};

const WITHIN: Duration = Duration::from_secs(30);

fn intent(repeat: Repeat) -> Intent {
    Intent { repeat, note: b"call 1".to_vec(), within: WITHIN }
}

/// A request up to its call.
async fn begin(store: &Store, request: Request<'_>, repeat: Repeat) -> (Claim, Step<AppScope>) {
    let claim = request.claimed(store).await;
    let write = request.begin(store, &claim).await.fresh().unwrap();
    create(&write).await;
    let step = write.intend(intent(repeat)).await.unwrap();
    (claim, step)
}

async fn conclude(step: Step<AppScope>) {
    let write = step.conclude().await.unwrap();
    write.reply(200, Some(b"done".to_vec())).await.unwrap();
}

async fn is_answered(store: &Store, request: Request<'_>) -> bool {
    let done = Draft { status: 200, body: Some(b"done".to_vec()), location: None };
    request.earlier(store).await == Some(Earlier::Answered(done))
}

#[tokio::test]
async fn intent_and_result_commit_apart_and_the_key_is_held_in_between() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let request = Request::new(&acme, "k");
        let (claim, step) = begin(&world.store, request, Repeat::Never).await;
        assert_eq!(counts(&world, &acme).await, (1, 0), "the intent is committed; the row comes with the answer");
        assert_eq!(request.earlier(&world.store).await, Some(Earlier::InFlight));
        if world.engine == Engine::Postgres {
            let other = world.another_node().await;
            assert_eq!(request.earlier(&other).await, Some(Earlier::InFlight));
        }
        conclude(step).await;
        drop(claim);
        assert!(is_answered(&world.store, request).await);
        assert_eq!(counts(&world, &acme).await, (1, 1));
    }
}

#[tokio::test]
async fn what_may_be_repeated_goes_on_from_its_intent() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let request = Request::new(&acme, "k");
        drop(begin(&world.store, request, Repeat::Continue).await);
        assert_eq!(request.earlier(&world.store).await, Some(Earlier::InFlight), "the lease of the attempt that was cut off goes on");
        world.clock.advance(WITHIN);
        assert_eq!(request.changed().earlier(&world.store).await, Some(Earlier::Mismatch));

        let claim = request.claimed(&world.store).await;
        let write = request.begin(&world.store, &claim).await.fresh().unwrap();
        assert_eq!(write.earlier_intent(), Some(&b"call 1"[..]));
        let step = write.intend(Intent { note: b"call 2".to_vec(), ..intent(Repeat::Continue) }).await.unwrap();
        drop((step, claim));
        world.clock.advance(WITHIN);

        let claim = request.claimed(&world.store).await;
        let write = request.begin(&world.store, &claim).await.fresh().unwrap();
        assert_eq!(write.earlier_intent(), Some(&b"call 2"[..]));
        write.reply(200, Some(b"done".to_vec())).await.unwrap();
        drop(claim);
        assert!(is_answered(&world.store, request).await);
        assert_eq!(counts(&world, &acme).await.0, 1);
    }
}

#[tokio::test]
async fn what_may_not_be_repeated_says_that_its_outcome_is_unknown() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let request = Request::new(&acme, "k");
        let (claim, step) = begin(&world.store, request, Repeat::Never).await;
        drop(claim);
        world.clock.advance(WITHIN);
        // The step still holds its claim: it only took too long.
        assert_eq!(request.earlier(&world.store).await, Some(Earlier::InFlight));
        drop(step);
        assert_eq!(request.earlier(&world.store).await, Some(Earlier::OutcomeUnknown));
        assert_eq!(request.earlier(&world.store).await, Some(Earlier::OutcomeUnknown), "again and again");
    }
}

#[tokio::test]
async fn a_failure_that_is_not_kept_ends_the_lease_at_once() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let failure = Draft { status: 502, body: None, location: None };
        for (key, repeat) in [("a", Repeat::Continue), ("b", Repeat::Never)] {
            let request = Request::new(&acme, key);
            let (claim, step) = begin(&world.store, request, repeat).await;
            drop(step);
            world.store.settle(request.scope(), &claim, &failure).await.unwrap();
            drop(claim);
            let told = request.earlier(&world.store).await;
            assert_eq!(told, (repeat == Repeat::Never).then_some(Earlier::OutcomeUnknown), "{repeat:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_after_the_call_is_kept() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let request = Request::new(&acme, "k");
        let (claim, step) = begin(&world.store, request, Repeat::Never).await;
        drop(step);
        let refusal = Draft { status: 422, body: Some(b"no such mailbox".to_vec()), location: None };
        world.store.settle(request.scope(), &claim, &refusal).await.unwrap();
        drop(claim);
        assert_eq!(request.earlier(&world.store).await, Some(Earlier::Answered(refusal)));
    }
}

#[tokio::test]
async fn an_abandoned_step_leaves_the_key_fresh() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let request = Request::new(&acme, "k");
        let (claim, step) = begin(&world.store, request, Repeat::Never).await;
        step.abandon().await.unwrap();
        drop(claim);
        let (claim, step) = begin(&world.store, request, Repeat::Never).await;
        conclude(step).await;
        drop(claim);
        assert!(is_answered(&world.store, request).await);
    }
}

/// Two nodes: the first takes too long, the second goes on in its place.
async fn overtake(world: &World, acme: &Tenant) {
    let (other, request) = (world.another_node().await, Request::new(acme, "k"));
    let (slow, slow_step) = begin(&world.store, request, Repeat::Continue).await;
    world.clock.advance(WITHIN);
    let claim = request.claimed(&other).await;
    let write = request.begin(&other, &claim).await.fresh().unwrap();
    assert_eq!(write.earlier_intent(), Some(&b"call 1"[..]));
    let step = write.intend(intent(Repeat::Continue)).await.unwrap();

    assert!(matches!(slow_step.conclude().await, Err(StoreError::Overtaken)));
    // Nor does what it answers in the end replace anything.
    let refusal = Draft { status: 422, body: None, location: None };
    assert!(matches!(world.store.settle(request.scope(), &slow, &refusal).await, Err(StoreError::Overtaken)));
    conclude(step).await;
    drop((slow, claim));
    assert!(is_answered(&world.store, request).await);
}

#[tokio::test]
async fn an_attempt_that_was_overtaken_cannot_conclude() {
    for world in World::each().await.into_iter().filter(|world| world.engine == Engine::Postgres) {
        let acme = world.tenant("acme").await;
        overtake(&world, &acme).await;
    }
}

#[tokio::test]
async fn without_a_key_the_steps_are_the_same() {
    for world in World::each().await {
        let acme = world.tenant("acme").await;
        let write = world.store.write(&acme.scope, WriteContext::internal()).await.unwrap();
        write.end_users().create(NewEndUser::default()).await.unwrap();
        let step = write.intend(intent(Repeat::Never)).await.unwrap();
        assert_eq!(counts(&world, &acme).await, (1, 0));
        conclude(step).await;
    }
}
