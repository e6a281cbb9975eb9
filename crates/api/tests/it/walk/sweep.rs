//! Operations × principals × targets, each against the policy: status, documented answer, promised headers, no canary.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fixtures::{self, Content, Kind};
use super::operation::{Operation, document, operations};
use super::policy::refusal;
use super::principal::Principal;
use super::rows::{Row, upload};
use super::stage::Stage;
use super::target::{Class, Target};
use crate::world::{Reply, Trace, World, unique};

/// What the sweep has seen.
#[derive(Default)]
struct Seen {
    cells: usize,
    by_status: BTreeMap<u16, usize>,
    /// Each request by its id: what it was, its status, and whether it must be in the audit log.
    requests: BTreeMap<String, (String, u16, bool)>,
    failures: Vec<String>,
}

/// Texts of the fixtures that no row may hold.
const SECRETS: [&str; 4] = ["correct horse", "vendor-secret", "shop-secret", "whsec_"];

fn tells_secret(text: &str) -> bool {
    // The shown beginning of a key is no secret.
    let keys = text.split("ask_").skip(1).map(|rest| rest.bytes().take_while(u8::is_ascii_alphanumeric).count());
    SECRETS.iter().any(|secret| text.contains(secret)) || keys.max().is_some_and(|shown| shown > 8)
}

impl Seen {
    /// Every impersonated request must be in the audit log, and every other that has changed something.
    fn note(&mut self, operation: &Operation, principal: Principal, target: Target, reply: &Reply) {
        let has_changed = operation.method != axum::http::Method::GET && reply.status < 400;
        let what = format!("{} as {principal:?} at {target:?}", operation.id);
        let id = reply.header("request-id").unwrap().to_owned();
        self.requests.insert(id, (what, reply.status, has_changed || principal.is_impersonation()));
    }

    /// No request is in the log twice, and none that must be is missing.
    fn check_audit(&mut self, traces: &[Trace]) {
        let mut rows: BTreeMap<&str, Vec<&Trace>> = BTreeMap::new();
        for trace in traces {
            rows.entry(&trace.request).or_default().push(trace);
            if tells_secret(&trace.text) {
                self.failures.push(format!("the audit log holds a secret: {trace:?}"));
            }
        }
        for (id, (what, status, must)) in &self.requests {
            let found = rows.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
            match found {
                [] if !must => {}
                [row] if row.status == Some(i64::from(*status)) => {}
                _ => self.failures.push(format!("{what}, answered {status}, has in the audit log {found:?}")),
            }
        }
    }
}

/// Cells of a slice at the least. Operations that are added raise the number; a cell that is skipped by mistake lowers it.
const LEAST_CELLS: usize = 1_400;

/// The operations are dealt out to as many tests, which run side by side.
const SLICES: usize = 4;

async fn slice(number: usize) {
    for world in World::each_with_mail().await {
        let stage = Stage::set(&world).await;
        stage.settle().await;
        let mut seen = Seen::default();
        for operation in operations().iter().skip(number).step_by(SLICES) {
            if operation.is_list() {
                // Others' newest rows would stand on the first page.
                stage.settle().await;
            }
            for principal in Principal::ALL {
                sweep(&stage, operation, principal, &mut seen).await;
            }
        }
        seen.check_audit(&world.traces().await);
        println!("{} cells: {:?}", seen.cells, seen.by_status);
        assert!(seen.cells >= LEAST_CELLS, "{} cells: what is left out?", seen.cells);
        assert!(seen.failures.is_empty(), "{} of {} cells:\n{}", seen.failures.len(), seen.cells, seen.failures.join("\n"));
    }
}

#[tokio::test]
async fn every_caller_gets_what_the_policy_says_for_every_row_1_of_4() {
    slice(0).await;
}

#[tokio::test]
async fn every_caller_gets_what_the_policy_says_for_every_row_2_of_4() {
    slice(1).await;
}

#[tokio::test]
async fn every_caller_gets_what_the_policy_says_for_every_row_3_of_4() {
    slice(2).await;
}

#[tokio::test]
async fn every_caller_gets_what_the_policy_says_for_every_row_4_of_4() {
    slice(3).await;
}

async fn sweep(stage: &Stage<'_>, operation: &Operation, principal: Principal, seen: &mut Seen) {
    let kind = Kind::of(operation);
    // What is told of a missing row, and of one that is missing behind a parent of the caller's own.
    let mut missing: [Option<(String, Vec<String>)>; 2] = [None, None];
    for target in Target::ALL {
        match kind {
            None if target != Target::Own => continue,
            Some(kind) if !kind.has(target) => continue,
            _ => {}
        }
        let refusal = refusal(operation, principal, kind.map(Kind::class), target);
        if refusal.is_none() && (operation.streams() || operation.redirects()) {
            // A stream would not end, and a browser's way has more than one step; both have stories of their own.
            continue;
        }
        let row = match kind {
            Some(kind) => fresh(kind, stage, operation, target).await,
            None => Row::default(),
        };
        let reply = send(stage, operation, principal, &row, &[]).await;
        seen.cells += 1;
        *seen.by_status.entry(reply.status).or_default() += 1;
        seen.note(operation, principal, target, &reply);
        let mut fail = |what: String| seen.failures.push(format!("{} as {principal:?} at {target:?}: {what}: {reply}", operation.id));
        let expected = refusal.map_or_else(|| operation.successes(), |status| vec![status]);
        if !expected.contains(&reply.status) {
            fail(format!("not {expected:?}"));
            continue;
        }
        for what in flaws(stage, operation, principal, &row, &reply) {
            fail(what);
        }
        let is_told_apart = target == Target::Malformed && kind.is_some_and(Kind::tells_malformed);
        if reply.status == 404 && !is_told_apart {
            let told = (reply.stable(&[&row.package, &row.id, &row.child]), reply.stable_headers());
            let is_child = matches!(target, Target::ForeignChild | Target::RandomChild) && kind.is_some_and(Kind::tells_missing_child);
            let missing = &mut missing[usize::from(is_child)];
            if *missing.get_or_insert_with(|| told.clone()) != told {
                fail(format!("differs from the other missing rows: {missing:?}"));
            }
        }
    }
}

/// What the operation answers; the filters of these tables are left out meanwhile.
pub(super) async fn send(stage: &Stage<'_>, operation: &Operation, principal: Principal, row: &Row, unlocked: &[&'static str]) -> Reply {
    let actor = principal.actor(stage, operation).await;
    let path = fixtures::path(operation, row);
    let path = if operation.is_list() { format!("{path}?pageSize=100") } else { path };
    let content = fixtures::body(stage, operation, principal).await;
    stage.world.store.unlock(unlocked);
    let reply = match content {
        Content::None => actor.send(operation.method.clone(), &path, None).await,
        Content::Json(body) => actor.send(operation.method.clone(), &path, Some(&body)).await,
        Content::Archive(archive) => upload(&actor, &path, &archive).await,
    };
    stage.world.store.unlock(&[]);
    reply
}

/// A row of the target. The end-users that all cells share are not for deletion.
pub(super) async fn fresh(kind: Kind, stage: &Stage<'_>, operation: &Operation, target: Target) -> Row {
    let deletes = kind == Kind::EndUser && operation.method == axum::http::Method::DELETE;
    if deletes && matches!(target, Target::Own | Target::SiblingEndUser) {
        let disposable = stage.own.end_user(&format!("Disposable{}", unique())).await;
        return Row { id: disposable.to_string(), ..Row::default() };
    }
    if operation.id == "deleteOrganization" {
        Kind::Run.make(stage, target).await;
    }
    if operation.id == "deleteApplication" && target == Target::SiblingApplication {
        return Row { id: stage.own.application("Disposable").await.to_string(), ..Row::default() };
    }
    kind.make(stage, target).await
}

/// What is wrong with a reply whose status is right.
pub(super) fn flaws(stage: &Stage<'_>, operation: &Operation, principal: Principal, row: &Row, reply: &Reply) -> Vec<String> {
    let mut flaws = Vec::new();
    // What the request itself said may come back.
    let mut told = reply.stable(&[&row.package, &row.id, &row.child]).to_lowercase();
    if operation.id == "listAuditLog" && reply.status == 200 {
        told = without_own_words(reply);
    }
    for hidden in stage.hidden_from(principal, operation).iter().filter(|hidden| told.contains(hidden.as_str())) {
        flaws.push(format!("tells of {hidden:?}, which is none of the caller's"));
    }
    let Some(described) = operation.response(reply.status) else {
        flaws.push("the document does not know this status".to_owned());
        return flaws;
    };
    for name in described["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        if reply.header(&name.to_lowercase()).is_none() {
            flaws.push(format!("the header {name} is promised and missing"));
        }
    }
    let media_type = reply.header("content-type").unwrap_or_default();
    match described["content"].get(media_type) {
        Some(content) => flaws.extend(mismatches(&content["schema"], &reply.json())),
        None if reply.text.is_empty() && described.get("content").is_none() => {}
        None => flaws.push(format!("the document does not know the content type {media_type:?}")),
    }
    flaws
}

/// Audit rows without what their requests themselves said: whoever asked for a foreign row by its name may see that again.
fn without_own_words(reply: &Reply) -> String {
    let mut list = reply.json();
    for row in list["data"].as_array_mut().unwrap() {
        (row["path"], row["subject"]) = (Value::Null, Value::Null);
    }
    list.to_string().to_lowercase()
}

/// Where `instance` breaks `schema`, which may refer into the document.
pub(super) fn mismatches(schema: &Value, instance: &Value) -> Vec<String> {
    let whole =
        json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema], "components": document()["components"]});
    let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
    validator.iter_errors(instance).map(|error| format!("breaks its schema at {:?}: {error}", error.instance_path().to_string())).collect()
}

#[tokio::test]
async fn the_policy_knows_every_class() {
    // A sweep in which a class of rows never occurs would prove nothing about it.
    let classes: Vec<_> = operations().iter().filter_map(Kind::of).map(Kind::class).collect();
    for class in
        [Class::Organization, Class::Application, Class::Shared, Class::Private, Class::Held, Class::Account, Class::Secret, Class::Open]
    {
        assert!(classes.contains(&class), "{class:?}");
    }
}
