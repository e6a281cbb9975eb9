//! Every unsafe operation honors an idempotency key: the second request gets the first one's answer.

use domain::Role;

use super::fixtures::{self, Content, Kind};
use super::operation::{Operation, operations};
use super::principal::Principal;
use super::rows::{Row, upload};
use super::stage::Stage;
use super::sweep::fresh;
use super::target::Target;
use crate::world::{Actor, Reply, World, unique};

/// They have stories of their own.
const WOULD_TAKE_THE_STAGE_ALONG: [&str; 2] = ["deleteOrganization", "deleteApplication"];

/// Ends the caller's own session or membership, so that the same caller cannot ask again; and how the second request is refused.
const ENDS_ITS_CALLER: &[(&str, u16)] = &[("signOut", 401), ("leaveOrganization", 403)];

async fn send(actor: &Actor<'_>, operation: &Operation, path: &str, content: &Content) -> Reply {
    match content {
        Content::None => actor.send(operation.method.clone(), path, None).await,
        Content::Json(body) => actor.send(operation.method.clone(), path, Some(body)).await,
        Content::Archive(archive) => upload(actor, path, archive).await,
    }
}

#[tokio::test]
async fn every_unsafe_operation_replays_its_answer_and_tells_other_requests_apart() {
    let world = World::start().await;
    let stage = Stage::set(&world).await;
    let owner = Principal::Session(Role::Owner);
    let mut failures = Vec::new();
    let mut count = 0;
    for operation in operations().iter().filter(|operation| operation.method != axum::http::Method::GET && operation.level != "none") {
        if WOULD_TAKE_THE_STAGE_ALONG.contains(&operation.id.as_str()) {
            continue;
        }
        let row = match Kind::of(operation) {
            Some(kind) => fresh(kind, &stage, operation, Target::Own).await,
            None => Row::default(),
        };
        // What an end-user holds is not a member's.
        let principal = match Kind::of(operation) {
            Some(Kind::Connection) => Principal::EndUser,
            _ => owner,
        };
        let actor = principal.actor(&stage, operation).await.with("idempotency-key", format!("walk-{}", unique()));
        let path = fixtures::path(operation, &row);
        let content = fixtures::body(&stage, operation, principal).await;
        let first = send(&actor, operation, &path, &content).await;
        let again = send(&actor, operation, &path, &content).await;
        count += 1;
        if let Some((_, refusal)) = ENDS_ITS_CALLER.iter().find(|(id, _)| *id == operation.id) {
            assert_eq!((first.status, again.status), (204, *refusal), "{operation}");
            continue;
        }
        let other = send(&actor, operation, &format!("{path}?other=1"), &content).await;
        let is_fresh = operation.successes().contains(&first.status) && first.header("idempotent-replayed") == Some("false");
        let is_same = (again.status, &again.text, again.header("location")) == (first.status, &first.text, first.header("location"));
        let is_told = other.status == 422 && other.at("/code") == domain::Code::IdempotencyConflict.as_str();
        if !(is_fresh && is_same && again.header("idempotent-replayed") == Some("true") && is_told) {
            failures.push(format!("{}: {first}\n  again: {again}\n  other query: {other}", operation.id));
        }
    }
    println!("{count} operations");
    assert!(failures.is_empty(), "do their writes go through `Can::write…`?\n{}", failures.join("\n"));
}
