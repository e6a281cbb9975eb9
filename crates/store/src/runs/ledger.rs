//! Money: one row for each model call, opened with a reservation before it and settled after it.

use domain::{NanoUsd, RunId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _};
use wire::control::LedgerState;
use wire::message::Usage;

use super::append::RunEntry;
use super::events::EventOwner;
use super::row::{stored, tokens};
use crate::StoreError;
use crate::entities::ledger_entry::{ActiveModel, Column, Entity};
use crate::entities::{At, ledger_entry};
use crate::scoped::Tenant;
use crate::unit::Writing;

const OPEN: &str = "open";

fn name(state: LedgerState) -> &'static str {
    match state {
        LedgerState::Priced => "priced",
        LedgerState::Unpriced => "unpriced",
        LedgerState::Estimated => "estimated",
    }
}

/// Writes a ledger entry of a run whose lease was checked in the same transaction. Repeats change nothing.
pub(super) async fn write(transaction: &DatabaseTransaction, owner: &EventOwner, entry: &RunEntry, now: At) -> Result<(), StoreError> {
    match entry {
        RunEntry::Event(_) => {}
        RunEntry::LedgerOpen { entry, reserved } => {
            let mut row = row(owner, *entry, *reserved, now);
            row.state = Set(OPEN.to_owned());
            insert(transaction, row).await?;
        }
        RunEntry::LedgerSettle { entry, usage, cost, state } => {
            let settled = Entity::update_many()
                .col_expr(Column::State, Expr::val(name(*state)))
                .col_expr(Column::Cost, Expr::val(cost.0))
                .col_expr(Column::InputTokens, Expr::val(stored(usage.input)))
                .col_expr(Column::OutputTokens, Expr::val(stored(usage.output)))
                .col_expr(Column::CacheReadTokens, Expr::val(stored(usage.cache_read)))
                .col_expr(Column::CacheWriteTokens, Expr::val(stored(usage.cache_write)))
                .col_expr(Column::SettledAt, Expr::val(now))
                .filter(Column::RunId.eq(owner.run.as_str()))
                .filter(Column::Entry.eq(stored(*entry)))
                .filter(Column::State.eq(OPEN))
                .exec(transaction)
                .await?;
            if settled.rows_affected == 0 {
                // Never opened: money that was spent is counted all the same.
                let mut row = row(owner, *entry, *cost, now);
                row.state = Set(name(*state).to_owned());
                row.cost = Set(cost.0);
                row.input_tokens = Set(stored(usage.input));
                row.output_tokens = Set(stored(usage.output));
                row.cache_read_tokens = Set(stored(usage.cache_read));
                row.cache_write_tokens = Set(stored(usage.cache_write));
                row.settled_at = Set(Some(now));
                insert(transaction, row).await?;
            }
        }
    }
    Ok(())
}

fn row(owner: &EventOwner, entry: u64, reserved: NanoUsd, now: At) -> ActiveModel {
    ActiveModel {
        run_id: Set(owner.run.clone()),
        entry: Set(stored(entry)),
        org_id: Set(owner.org.clone()),
        app_id: Set(owner.app.clone()),
        end_user_id: Set(owner.end_user.clone()),
        reserved: Set(reserved.0),
        cost: Set(0),
        input_tokens: Set(0),
        output_tokens: Set(0),
        cache_read_tokens: Set(0),
        cache_write_tokens: Set(0),
        opened_at: Set(now),
        settled_at: Set(None),
        state: Set(OPEN.to_owned()),
    }
}

async fn insert(transaction: &DatabaseTransaction, row: ActiveModel) -> Result<(), StoreError> {
    let nothing = OnConflict::columns([Column::RunId, Column::Entry]).do_nothing().to_owned();
    Entity::insert(row).on_conflict(nothing).try_insert().exec_without_returning(transaction).await?;
    Ok(())
}

/// Closes what a run left open: the call was made, or may have been, so it counts with all that was reserved. Gives back what the
/// run cost in all.
pub(super) async fn close(tenant: &Tenant<'_, Writing>, run: RunId) -> Result<(Usage, NanoUsd), StoreError> {
    tenant
        .update::<Entity>()
        .set(Column::State, name(LedgerState::Estimated))
        .set_expression(Column::Cost, Expr::col(Column::Reserved))
        .set(Column::SettledAt, At(tenant.now()))
        .filter(Column::RunId.eq(run.to_string()))
        .filter(Column::State.eq(OPEN))
        .run()
        .await?;
    let rows = tenant.find::<Entity>().filter(Column::RunId.eq(run.to_string())).all().await?;
    rows.iter().try_fold((Usage::default(), NanoUsd::ZERO), |(mut usage, cost), row| {
        usage += spent(row)?;
        Ok((usage, cost + NanoUsd(row.cost)))
    })
}

fn spent(row: &ledger_entry::Model) -> Result<Usage, StoreError> {
    Ok(Usage {
        input: tokens(row.input_tokens)?,
        output: tokens(row.output_tokens)?,
        cache_read: tokens(row.cache_read_tokens)?,
        cache_write: tokens(row.cache_write_tokens)?,
    })
}
