//! Counters: how many runs a list has, and how many of an organization are active.
//!
//! Rows that disappear are counted by a trigger (see the migration), because cascades pass by every repository.

use domain::{EndUserId, RunId};
use sea_orm::sea_query::{Expr, ExprTrait as _, SelectStatement};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, Statement, Value};

use crate::StoreError;
use crate::entities::{run_activity, run_total};
use crate::scope::Bounds;
use crate::scoped::Tenant;
use crate::unit::Writing;

/// Shards of an application's total: starts in one application seldom meet on the same row.
const SHARDS: u128 = 8;

/// Takes a place among the active runs of the organization. `false`: there is none.
pub(super) async fn enter(tenant: &Tenant<'_, Writing>, most: u32) -> Result<bool, StoreError> {
    // The row's lock makes concurrent starts of one organization count one after the other.
    const ENTER: &str = "INSERT INTO run_activity (org_id, active) VALUES ($1, 1)
        ON CONFLICT (org_id) DO UPDATE SET active = run_activity.active + 1 WHERE run_activity.active < $2 RETURNING active";
    if most == 0 {
        return Ok(false);
    }
    let values = [tenant.bounds.org.to_string().into(), i64::from(most).into()];
    Ok(tenant.transaction.query_one_raw(statement(tenant, ENTER, values)).await?.is_some())
}

/// Gives the place back.
pub(super) async fn leave(tenant: &Tenant<'_, Writing>) -> Result<(), StoreError> {
    let one_less = Expr::col(run_activity::Column::Active).sub(1);
    tenant.update::<run_activity::Entity>().set_expression(run_activity::Column::Active, one_less).run().await?;
    Ok(())
}

/// Counts a new run, for the application's list and for its end-user's.
pub(super) async fn count(tenant: &Tenant<'_, Writing>, run: RunId) -> Result<(), StoreError> {
    const COUNT: &str = "INSERT INTO run_totals (app_id, owner, shard, org_id, total) VALUES ($1, $2, $3, $4, 1)
        ON CONFLICT (app_id, owner, shard) DO UPDATE SET total = run_totals.total + 1";
    let Bounds { org, sight } = tenant.bounds;
    let app = sight.app().ok_or(StoreError::OutOfReach)?;
    let shard = i64::try_from(run.uuid().as_u128() % SHARDS).expect("less than SHARDS");
    for (owner, shard) in [(None, shard)].into_iter().chain(sight.end_user().map(|own| (Some(own), 0))) {
        let values: [Value; 4] = [app.to_string().into(), name(owner).into(), shard.into(), org.to_string().into()];
        tenant.transaction.execute_raw(statement(tenant, COUNT, values)).await?;
    }
    Ok(())
}

/// The query for how many runs the scope's unfiltered list has.
pub(super) fn total<M>(tenant: &Tenant<'_, M>) -> SelectStatement {
    let owner = name(tenant.bounds.sight.end_user());
    tenant.find::<run_total::Entity>().filter(run_total::Column::Owner.eq(owner)).sum(run_total::Column::Total)
}

fn name(owner: Option<EndUserId>) -> String {
    owner.map(|id| id.to_string()).unwrap_or_default()
}

fn statement<M>(tenant: &Tenant<'_, M>, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(tenant.store.engine.backend(), sql, values)
}
