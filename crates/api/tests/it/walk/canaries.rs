//! Every row of the foreign tenant that holds text of its own holds the canary. A row without it could be shown and nobody would notice.

use store::inspect;

use super::fixtures::Kind;
use super::operation::operations;
use super::principal::Principal;
use super::stage::{CANARY, Stage};
use super::sweep::{fresh, send};
use super::target::Target;
use crate::world::World;

/// Tables with rows that hold nothing that a tenant has written, and what they hold instead. The sweep knows them by the tenant's ids, which
/// no answer to others may hold either.
const WITHOUT_TEXT: &[(&str, &str)] = &[
    ("members", "ids and a role; the texts are the user's, whose address holds the canary"),
    ("ledger_entries", "ids and sums"),
    ("run_totals", "ids and a count"),
    ("run_activity", "ids and a count"),
    ("proxy_defaults", "the id of a proxy, or `none`"),
    ("profiles", "ids and the name that the platform gives"),
    ("events", "also the platform's own words, such as `run.started`"),
    ("jobs", "ids and the platform's own kinds"),
    ("audit_entries", "also requests that have nothing but ids"),
    ("idempotency_records", "hashes, and an answer that may be empty"),
    ("stream_tickets", "ids and a hash"),
    ("audit_seals", "ids, digests and a signature"),
];

#[tokio::test]
async fn every_foreign_row_that_holds_text_holds_the_canary() {
    let world = World::on_sqlite().await;
    let stage = Stage::set(&world).await;
    stage.settle().await;
    stage.leave_traces().await;
    // What the sweep makes while it runs: the bodies of the foreign caller.
    for operation in operations().iter().filter(|operation| !operation.streams() && !operation.redirects()) {
        let row = match Kind::of(operation) {
            Some(kind) => fresh(kind, &stage, operation, Target::ForeignOrganization).await,
            None => super::rows::Row::default(),
        };
        send(&stage, operation, Principal::StrangerKey, &row, &[]).await;
    }
    let mut flaws = Vec::new();
    for table in inspect::mapped().into_iter().filter(|table| table.tenancy.is_some()) {
        let rows = world.rows_of(&table, stage.foreign.org).await;
        println!("{}: {} rows", table.name, rows.len());
        let silent: Vec<_> = rows.iter().filter(|row| !row.to_lowercase().contains(CANARY)).collect();
        match WITHOUT_TEXT.iter().find(|(name, _)| *name == table.name) {
            _ if rows.is_empty() => flaws.push(format!("{}: the foreign tenant has no row; let `leave_traces` leave one", table.name)),
            None if !silent.is_empty() => flaws.push(format!("{}: {silent:?}", table.name)),
            Some(_) if silent.is_empty() => flaws.push(format!("{}: every row holds the canary, so it is no exception", table.name)),
            _ => {}
        }
    }
    assert!(flaws.is_empty(), "{}", flaws.join("\n"));
}
