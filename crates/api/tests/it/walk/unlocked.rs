//! The sweep with the filter of one entity left out: each time it must tell. A filter whose absence nobody notices is not tested.
//!
//! What an entity shows is looked at twice: through every operation of the API, where a second filter may stand before it, and at
//! large, through the statements that all repositories are made of.

use std::collections::BTreeSet;

use domain::Role;
use store::inspect::{self, Owner};
use store::{AppScope, OrgScope};

use super::fixtures::Kind;
use super::operation::{Operation, operations};
use super::policy::refusal;
use super::principal::Principal;
use super::rows::Row;
use super::stage::Stage;
use super::sweep::{flaws, fresh, send};
use super::target::Target;
use crate::world::World;

/// Callers that are allowed almost everything, each with another reach.
const PRINCIPALS: [Principal; 3] = [Principal::EndUser, Principal::FullKey, Principal::Session(Role::Owner)];

/// Tables that no operation shows without a second filter before them, and what that is. Every other one the API itself must miss.
const SHOWN_BY_NO_OPERATION: &[(&str, &str)] = &[
    ("audit_seals", "listed by the chain of the application"),
    ("events", "read by the id of a run, which is looked up first"),
    ("idempotency_records", "claimed by method, path and caller, never shown"),
    ("jobs", "the server's own queue; there is no operation for it"),
    ("ledger_entries", "summed up by the worker for a run that it holds"),
    ("organizations", "asked for by the id in the caller's scope; a path with another id is refused before"),
    ("package_versions", "found through the package"),
    ("packages", "shown with its newest version, which has a filter of its own"),
    ("profiles", "found through the end-user or user that they belong to"),
    ("proxy_uses", "counted by the worker; there is no operation for it"),
    ("run_activity", "written and read by the worker's queue alone"),
    ("run_specs", "read by the worker alone"),
    ("run_states", "read by the worker for the run's own agent and end-user"),
    ("run_totals", "summed up for the audit of an application"),
    ("stream_tickets", "redeemed by their secret, never shown"),
];

/// Tables that stand before each other: without either filter the API must miss them.
const BEHIND_EACH_OTHER: [&[&str]; 1] = [&["packages", "package_versions"]];

#[tokio::test]
async fn no_filter_can_be_left_out_without_being_missed() {
    let world = World::on_sqlite().await;
    let stage = Stage::set(&world).await;
    stage.settle().await;
    stage.leave_traces().await;
    let sights = Sights::of(&stage).await;
    assert_eq!(told_by_operations(&[]).await, None, "with all filters the sweep is content");
    let tables: Vec<_> = inspect::declared().into_iter().filter(|table| table.tenancy.is_some()).map(|table| table.name).collect();
    for (name, _) in SHOWN_BY_NO_OPERATION {
        assert!(tables.contains(name), "{name} is no table of tenants");
    }
    for table in &tables {
        assert_eq!(sights.told_at_large(&world, table, &[]).await, None, "with all filters every scope sees its own");
    }
    let mut unnoticed = BTreeSet::new();
    for table in tables {
        match sights.told_at_large(&world, table, &[table]).await {
            Some(told) => println!("{table}: {told}"),
            None => _ = unnoticed.insert(table),
        }
        if SHOWN_BY_NO_OPERATION.iter().all(|(name, _)| *name != table) {
            match told_by_operations(&[table]).await {
                Some(told) => println!("{table}: {told}"),
                None => _ = unnoticed.insert(table),
            }
        }
    }
    for tables in BEHIND_EACH_OTHER {
        match told_by_operations(tables).await {
            Some(told) => println!("{tables:?}: {told}"),
            None => unnoticed.extend(tables),
        }
    }
    assert!(unnoticed.is_empty(), "nobody notices when the filters of these are left out: {unnoticed:?}");
}

/// What the sweep complains about first, with the filters of these tables left out. In a world of its own: what is written without a filter
/// would be complained of ever after.
async fn told_by_operations(unlocked: &[&'static str]) -> Option<String> {
    let world = World::on_sqlite().await;
    let stage = &Stage::set(&world).await;
    stage.settle().await;
    stage.leave_traces().await;
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
        Some(kind) => kind.has(target) && !matches!(target, Target::Random | Target::RandomChild | Target::Malformed),
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
    let wrong = wrong.or_else(|| flaws(stage, operation, principal, &row, &reply).into_iter().next());
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
        let login = system.key_by_hash(&auth::token::hash(key.expose()), Some(stage.grace)).await.unwrap().unwrap();
        let end_user = login.end_user_scope().unwrap();
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
