//! The sweep with the filter of one entity left out: each time it must tell. A filter whose absence nobody notices is not tested.
//!
//! What an entity shows is looked at twice: through every operation of the API, where a second filter may stand before it, and at
//! large, through the statements that all repositories are made of.

use std::collections::BTreeSet;

use domain::Role;
use serde_json::{Value, json};
use store::inspect::{self, Owner};
use store::{AppScope, Claimed, IdempotencyKey, NewJob, OrgScope, WriteContext};

use super::fixtures::Kind;
use super::operation::{Operation, operations};
use super::policy::refusal;
use super::principal::Principal;
use super::rows::Row;
use super::stage::{CANARY, Stage};
use super::sweep::{flaws, fresh, send};
use super::target::Target;
use crate::world::World;

/// Callers that are allowed almost everything, each with another reach.
const PRINCIPALS: [Principal; 3] = [Principal::EndUser, Principal::FullKey, Principal::Session(Role::Owner)];

/// Entities that some operation shows without a second filter before them. With theirs left out, the API itself must tell.
const SHOWN_BY_OPERATIONS: &[&str] =
    &["applications", "api_keys", "end_users", "provider_keys", "models", "installations", "connections", "runs", "memories"];

#[tokio::test]
async fn no_filter_can_be_left_out_without_being_missed() {
    let world = World::on_sqlite().await;
    let stage = Stage::set(&world).await;
    leave_traces(&stage).await;
    let sights = Sights::of(&stage).await;
    assert_eq!(told_by_operations(&stage, &[]).await, None, "with all filters the sweep is content");
    let tables: Vec<_> = inspect::declared().into_iter().filter(|table| table.tenancy.is_some()).map(|table| table.name).collect();
    for table in &tables {
        assert_eq!(sights.told_at_large(&world, table, &[]).await, None, "with all filters every scope sees its own");
    }
    let mut unnoticed = BTreeSet::new();
    for table in tables {
        match sights.told_at_large(&world, table, &[table]).await {
            Some(told) => println!("{table}: {told}"),
            None => _ = unnoticed.insert(table),
        }
        if SHOWN_BY_OPERATIONS.contains(&table) {
            match told_by_operations(&stage, &[table]).await {
                Some(told) => println!("{table}: {told}"),
                None => _ = unnoticed.insert(table),
            }
        }
    }
    assert!(unnoticed.is_empty(), "nobody notices when the filters of these are left out: {unnoticed:?}");
}

/// Rows of the foreign tenant that no operation of the walk leaves.
async fn leave_traces(stage: &Stage<'_>) {
    let scope = stage.foreign.app_scope(stage.foreign.app).await;
    let key = IdempotencyKey {
        key: "foreign".to_owned(),
        org: Some(scope.org()),
        app: Some(scope.app()),
        method: "POST".to_owned(),
        path: "/".to_owned(),
        fingerprint: [0; 32],
        principal: String::new(),
    };
    let store = &stage.world.store;
    let Claimed::Fresh(claim) = store.claim(&key).await.unwrap() else { panic!("a key of its own") };
    let write = store.begin_write(&scope, WriteContext::internal().under(Some(claim))).await.unwrap().fresh().unwrap();
    write.enqueue(NewJob { kind: "walk".to_owned(), subject: String::new(), payload: Value::Null, due_at: None }).await.unwrap();
    write.reply(200, None).await.unwrap();
    let exit = json!({"label": CANARY, "url": "http://proxy.example.com"});
    let exit = stage.foreign.post("/api/proxies", &exit).await.is(201).text_at("/id");
    stage.foreign.put("/api/proxies/default", &json!({"proxyId": exit})).await.is(200);
    let helper = format!("/api/applications/{}/packages/@canary/helper", stage.foreign.app);
    stage.foreign.put(&helper, &json!({"proxyId": exit})).await.is(200);
    stage.foreign_key.as_user(stage.foreign_end_user).post("/api/realtime/tickets", &json!({})).await.is(201);
    stage.world.seal().await;
}

/// What the sweep complains about first, with the filters of these tables left out.
async fn told_by_operations(stage: &Stage<'_>, unlocked: &[&'static str]) -> Option<String> {
    for operation in operations().iter().filter(|operation| !operation.streams() && !operation.redirects()) {
        for principal in PRINCIPALS {
            for target in Target::ALL {
                if let Some(complaint) = cell(stage, operation, principal, target, unlocked).await {
                    return Some(complaint);
                }
            }
        }
    }
    None
}

async fn cell(stage: &Stage<'_>, operation: &Operation, principal: Principal, target: Target, unlocked: &[&'static str]) -> Option<String> {
    let kind = Kind::of(operation);
    let applies = match kind {
        Some(kind) => kind.has(target) && !matches!(target, Target::Random | Target::Malformed),
        None => target == Target::Own,
    };
    if !applies {
        return None;
    }
    let row = match kind {
        Some(kind) => fresh(kind, stage, operation, target).await,
        None => Row::default(),
    };
    let reply = send(stage, operation, principal, &row, unlocked).await;
    let refusal = refusal(operation, principal, kind.map(Kind::class), target);
    let expected = refusal.map_or_else(|| operation.successes(), |status| vec![status]);
    let wrong = (!expected.contains(&reply.status)).then(|| format!("{} instead of {expected:?}", reply.status));
    let wrong = wrong.or_else(|| flaws(operation, principal, &row, &reply).into_iter().next());
    wrong.map(|wrong| format!("{} as {principal:?} at {target:?}: {wrong}", operation.id))
}

/// The scopes of the own tenant, and who is who.
struct Sights {
    org: OrgScope,
    application: AppScope,
    end_user: AppScope,
    own: Owner,
}

impl Sights {
    async fn of(stage: &Stage<'_>) -> Self {
        let system = stage.world.store.system();
        let (_, key) = stage.own.key_secret(stage.own.plan(&["runs:read"])).await;
        let login = system.key_by_hash(&auth::token::hash(key.expose())).await.unwrap().unwrap();
        let end_user = system.end_user_scope(&login, stage.grace).await.unwrap().unwrap();
        let own = Owner {
            org: Some(stage.own.org.to_string()),
            app: Some(stage.own.app.to_string()),
            end_user: Some(stage.grace.to_string()),
            user: None,
        };
        Self { org: login.org_scope(), application: login.app_scope(), end_user, own }
    }

    /// The first row of the table that a scope sees and should not, with the filters of `unlocked` left out.
    async fn told_at_large(&self, world: &World, table: &str, unlocked: &[&'static str]) -> Option<String> {
        world.store.unlock(unlocked);
        let of_organization = inspect::seen(&world.store, &self.org, table).await.unwrap();
        let of_application = inspect::seen(&world.store, &self.application, table).await.unwrap();
        let of_end_user = inspect::seen(&world.store, &self.end_user, table).await.unwrap();
        world.store.unlock(&[]);
        // Rows of no organization are the platform's own packages, and rows of no application those of the organization.
        let is_of = |wanted: &Option<String>, found: &Option<String>| found.is_none() || found == wanted;
        let strange = |owner: &&Owner| !is_of(&self.own.org, &owner.org);
        let stranger = |owner: &&Owner| strange(owner) || !is_of(&self.own.app, &owner.app);
        let strangest = |owner: &&Owner| stranger(owner) || !is_of(&self.own.end_user, &owner.end_user);
        let told = |who: &str, found: Option<&Owner>| found.map(|owner| format!("{who} sees a row of {owner:?}"));
        told("the organization", of_organization.iter().find(strange))
            .or_else(|| told("the application", of_application.iter().find(stranger)))
            .or_else(|| told("the end-user", of_end_user.iter().find(strangest)))
    }
}
