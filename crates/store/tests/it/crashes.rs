//! A write that fails at any point, by an error, a panic or the end of the process: at most one effect, and the key can be used.

use std::panic::AssertUnwindSafe;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use store::failpoints::{Failpoints, Fault, Point};
use store::{Draft, Earlier, Intent, Repeat, Store, StoreError};

use crate::request::{Request, counts, create};
use crate::world::{Engine, Tenant, World};

const KEY: &str = "k";
const WITHIN: Duration = Duration::from_secs(30);

/// The points of a write in one transaction.
const PLAIN: [Point; 6] = [Point::Opened, Point::Checked, Point::Answering, Point::Kept, Point::Audited, Point::Committed];

fn made() -> Draft {
    Draft { status: 201, body: Some(b"made".to_vec()), location: Some("/api/end-users/eu_1".to_owned()) }
}

/// One whole request; `true`: it was answered now, or had been.
async fn attempt(store: &Store, tenant: &Tenant) -> Result<(), StoreError> {
    let request = Request::new(tenant, KEY);
    let claim = match request.try_claim(store).await? {
        store::Claimed::Fresh(claim) => claim,
        store::Claimed::Earlier(earlier) => {
            assert_eq!(earlier, Earlier::Answered(made()));
            return Ok(());
        }
    };
    let write = loop {
        match request.try_begin(store, &claim).await? {
            store::Opened::Fresh(write) => break write,
            // On PostgreSQL the transaction of the attempt that failed ends a moment later, on its own connection.
            store::Opened::Earlier(Earlier::InFlight) => tokio::task::yield_now().await,
            store::Opened::Earlier(earlier) => panic!("{earlier:?}"),
        }
    };
    create(&write).await;
    write.answer(made()).await.map(drop)
}

/// The same in two steps. What was begun is not begun again.
async fn stepped_attempt(store: &Store, tenant: &Tenant) -> Result<(), StoreError> {
    let request = Request::new(tenant, KEY);
    let claim = match request.try_claim(store).await? {
        store::Claimed::Fresh(claim) => claim,
        store::Claimed::Earlier(earlier) => {
            assert_eq!(earlier, Earlier::Answered(made()));
            return Ok(());
        }
    };
    let write = loop {
        match request.try_begin(store, &claim).await? {
            store::Opened::Fresh(write) => break write,
            store::Opened::Earlier(Earlier::InFlight) => tokio::task::yield_now().await,
            store::Opened::Earlier(earlier) => panic!("{earlier:?}"),
        }
    };
    if write.earlier_intent().is_none() {
        create(&write).await;
    }
    let step = write.intend(Intent { repeat: Repeat::Continue, note: b"begun".to_vec(), within: WITHIN }).await?;
    step.conclude().await?.answer(made()).await.map(drop)
}

/// What must hold after the first attempt has failed at `point`: the second one succeeds, and there is one effect.
async fn recovers(world: &World, store: &Store, acme: &Tenant, is_stepped: bool) {
    // The lease of an attempt that was cut off.
    world.clock.advance(WITHIN);
    for _ in 0..2 {
        let repeated = if is_stepped { stepped_attempt(store, acme).await } else { attempt(store, acme).await };
        repeated.unwrap();
        assert_eq!(counts(world, acme).await.0, 1);
    }
}

#[tokio::test]
async fn a_write_passes_every_point_in_order() {
    let failpoints = Arc::new(Failpoints::default());
    let armed = Arc::clone(&failpoints);
    for world in World::each_with(move |options| options.failpoints = Arc::clone(&armed)).await {
        let acme = world.tenant("acme").await;
        failpoints.passed();
        attempt(&world.store, &acme).await.unwrap();
        assert_eq!(failpoints.passed(), PLAIN);
        let globex = world.tenant("globex").await;
        failpoints.passed();
        stepped_attempt(&world.store, &globex).await.unwrap();
        let intent = [Point::Opened, Point::Checked, Point::Intended, Point::Committed];
        assert_eq!(failpoints.passed(), [&intent[..], &PLAIN].concat());
        assert!(Point::ALL.iter().all(|point| intent.contains(point) || PLAIN.contains(point)));
    }
}

#[tokio::test]
async fn an_error_or_a_panic_at_any_point_leaves_at_most_one_effect() {
    for fault in [Fault::Error, Fault::Panic] {
        for point in Point::ALL {
            for is_stepped in [false, true] {
                let failpoints = Arc::new(Failpoints::default());
                let armed = Arc::clone(&failpoints);
                for world in World::each_with(move |options| options.failpoints = Arc::clone(&armed)).await {
                    let acme = world.tenant("acme").await;
                    failpoints.arm(point, fault);
                    let first =
                        async { if is_stepped { stepped_attempt(&world.store, &acme).await } else { attempt(&world.store, &acme).await } };
                    let outcome = AssertUnwindSafe(first).catch_unwind().await;
                    let never_reached = point == Point::Intended && !is_stepped;
                    assert_eq!(matches!(outcome, Ok(Ok(()))), never_reached, "{fault:?} at {point:?}");
                    recovers(&world, &world.store, &acme, is_stepped).await;
                }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how this test speaks to the process that it ends")]
fn asked(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn point(name: &str) -> Point {
    Point::ALL.into_iter().find(|point| format!("{point:?}") == name).unwrap()
}

/// The process that ends: it opens the parent's database and dies in the middle of the request. Asked by nobody, it is the same
/// request without an end.
#[tokio::test]
async fn the_process_that_ends() {
    let Some(url) = asked("CRASH_URL") else {
        for world in World::each().await {
            let acme = world.tenant("acme").await;
            attempt(&world.store, &acme).await.unwrap();
            assert_eq!(counts(&world, &acme).await, (1, 1));
        }
        return;
    };
    let failpoints = Arc::new(Failpoints::default());
    let store = World::node(&url, Arc::clone(&failpoints)).await;
    let acme = Tenant::find(&store, "acme").await;
    failpoints.arm(point(&asked("CRASH_AT").unwrap()), Fault::Abort);
    if asked("CRASH_STEPPED").is_some() {
        stepped_attempt(&store, &acme).await.unwrap();
    } else {
        attempt(&store, &acme).await.unwrap();
    }
    panic!("the process lives");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_process_at_any_point_leaves_at_most_one_effect() {
    for is_stepped in [false, true] {
        for point in Point::ALL.into_iter().filter(|point| is_stepped || *point != Point::Intended) {
            for world in World::each().await {
                let acme = world.tenant("acme").await;
                let mut child = Command::new(std::env::current_exe().unwrap());
                child.args(["--exact", "crashes::the_process_that_ends", "--nocapture"]);
                child.env("CRASH_URL", &world.url).env("CRASH_AT", format!("{point:?}"));
                if is_stepped {
                    child.env("CRASH_STEPPED", "1");
                }
                let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
                let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
                assert_eq!(signal, Some(6), "{point:?}: {}", String::from_utf8_lossy(&output.stderr));
                // A fresh process finds the database as it was left.
                let store = if world.engine == Engine::Sqlite { world.another_node().await } else { world.store.clone() };
                recovers(&world, &store, &acme, is_stepped).await;
            }
        }
    }
}
