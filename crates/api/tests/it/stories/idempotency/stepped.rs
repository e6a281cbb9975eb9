//! A route that must call out: intent, call, result; and what a repetition is told when it was cut off in between.

#![expect(clippy::disallowed_types, reason = "the paths are the test's own")]

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use api::App;
use api::answer::Answer;
use api::extract::{Can, perm};
use api::problem::Problem;
use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use domain::Code;
use serde_json::json;
use store::{Audit, Intent, NewEndUser, Repeat};
use tokio::sync::Semaphore;

use crate::world::World;

const WITHIN: Duration = Duration::from_secs(30);

/// The other service, by the name under which a test calls it: a call waits for its permit.
#[derive(Clone)]
struct Outside {
    begun: Arc<Semaphore>,
    answers: Arc<Semaphore>,
}

static SERVICES: LazyLock<Mutex<std::collections::BTreeMap<String, Outside>>> = LazyLock::new(Mutex::default);

fn service(name: &str) -> Outside {
    let new = || Outside { begun: Arc::new(Semaphore::new(0)), answers: Arc::new(Semaphore::new(0)) };
    SERVICES.lock().unwrap().entry(name.to_owned()).or_insert_with(new).clone()
}

/// Makes an end-user, asks the other service, and answers with how it went.
async fn call_out(can: Can<perm::EndUsersWrite>, Path((name, repeats)): Path<(String, bool)>) -> Result<Answer, Problem> {
    let outside = service(&name);
    let write = can.write().await?;
    let continues = write.earlier_intent().is_some();
    if !continues {
        write.end_users().create(NewEndUser::default()).await?;
    }
    let repeat = if repeats { Repeat::Continue } else { Repeat::Never };
    let step = write.intend(Intent { repeat, note: b"noted".to_vec(), within: WITHIN }).await?;
    outside.begun.add_permits(1);
    outside.answers.acquire().await.unwrap().forget();
    Answer::done(step.conclude().await?, 200, &json!({ "continued": continues })).await
}

/// The other service breaks down in the call.
async fn fail(can: Can<perm::NotificationsWrite>) -> Result<Answer, Problem> {
    let write = can.write().await?;
    write.audit(Audit::detail(json!({ "asked": true })));
    write.intend(Intent { repeat: Repeat::Continue, note: Vec::new(), within: WITHIN }).await?;
    Err(Problem::new(Code::LoginProviderFailed, "It does not answer."))
}

/// It answers.
async fn succeed(can: Can<perm::NotificationsWrite>) -> Result<Answer, Problem> {
    let write = can.write().await?;
    write.audit(Audit::detail(json!({ "asked": true })));
    let step = write.intend(Intent { repeat: Repeat::Continue, note: Vec::new(), within: WITHIN }).await?;
    Answer::done(step.conclude().await?, 200, &json!({})).await
}

async fn world() -> World {
    let routes = Router::<App>::new().route("/api/call-out/{name}/{repeats}", post(call_out));
    World::with_routes(routes.route("/api/fail", post(fail)).route("/api/succeed", post(succeed))).await
}

#[tokio::test]
async fn the_transaction_is_not_held_during_the_call() {
    let world = world().await;
    let ada = world.tenant("ada").await;
    let caller = ada.with("idempotency-key", "k");
    let path = "/api/call-out/open/false";
    let (outside, body) = (service("open"), json!({}));
    let (first, ()) = tokio::join!(caller.post(path, &body), async {
        outside.begun.acquire().await.unwrap().forget();
        // On SQLite there is one writer; it is free.
        ada.post("/api/end-users", &json!({})).await.is(201);
        caller.post(path, &json!({})).await.refused(Code::IdempotencyInProgress);
        outside.answers.add_permits(1);
    });
    first.is(200);
    let again = caller.post(path, &json!({})).await.is(200);
    assert_eq!((again.header("idempotent-replayed"), again.at("/continued")), (Some("true"), json!(false)));
    assert_eq!(ada.get("/api/end-users").await.at("/pagination/total"), 2);
    let rows: Vec<_> = ada.audit().await.into_iter().filter(|row| row.path == path).collect();
    assert_eq!((rows.len(), rows[0].status), (1, Some(200)), "intent and result are one request");
}

#[tokio::test]
async fn an_impersonated_request_has_one_row_whatever_becomes_of_its_call() {
    let world = world().await;
    let ada = world.tenant("ada").await;
    let grace = ada.full_key().await.as_user(ada.end_user("Grace").await);
    for caller in [grace.clone(), grace.with("idempotency-key", "k")] {
        let rows = ada.audit().await.len();
        caller.post("/api/succeed", &json!({})).await.is(200);
        let audit = ada.audit().await;
        assert_eq!((audit.len(), audit[0].status, &audit[0].detail), (rows + 1, Some(200), &json!({"asked": true})));
        caller.post("/api/fail", &json!({})).await.refused(Code::LoginProviderFailed);
        let audit = ada.audit().await;
        assert_eq!((audit.len(), audit[0].status, audit[0].code.as_deref()), (rows + 2, Some(502), Some("login_provider_failed")));
    }
}

/// Sends the request and hangs up in the middle of its call.
async fn cut_off(caller: &crate::world::Actor<'_>, path: &str, outside: &Outside) {
    let body = json!({});
    tokio::select! {
        reply = caller.post(path, &body) => panic!("{reply}"),
        begun = outside.begun.acquire() => begun.unwrap().forget(),
    }
}

#[tokio::test]
async fn a_call_that_may_be_repeated_is_continued() {
    let world = world().await;
    let ada = world.tenant("ada").await;
    let caller = ada.with("idempotency-key", "k");
    let (path, outside) = ("/api/call-out/continues/true", service("continues"));
    cut_off(&caller, path, &outside).await;
    let refused = caller.post(path, &json!({})).await.refused(Code::IdempotencyInProgress);
    assert_eq!(refused.header("retry-after"), Some("1"));
    world.clock.advance(WITHIN);
    outside.answers.add_permits(1);
    let continued = caller.post(path, &json!({})).await.is(200);
    assert_eq!((continued.at("/continued"), continued.header("idempotent-replayed")), (json!(true), Some("false")));
    assert_eq!(caller.post(path, &json!({})).await.is(200).text, continued.text);
    assert_eq!(ada.get("/api/end-users").await.at("/pagination/total"), 1);
}

#[tokio::test]
async fn a_call_that_may_not_be_repeated_has_an_unknown_outcome() {
    let world = world().await;
    let ada = world.tenant("ada").await;
    let caller = ada.with("idempotency-key", "k");
    let (path, outside) = ("/api/call-out/never/false", service("never"));
    cut_off(&caller, path, &outside).await;
    world.clock.advance(WITHIN);
    for _ in 0..2 {
        caller.post(path, &json!({})).await.refused(Code::OutcomeUnknown);
    }
    outside.answers.add_permits(1);
    ada.with("idempotency-key", "another").post(path, &json!({})).await.is(200);
}
