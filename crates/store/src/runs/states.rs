//! What a run leaves for the next one of the same application, agent and end-user (or none). Never shared.

use domain::{PackageName, RunId};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, Statement};
use serde_json::Value;

use crate::StoreError;
use crate::entities::run_state::{Column, Entity};
use crate::entities::{json, to_json};
use crate::scope::AppScope;
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};

/// The states of one application's agents.
#[derive(Debug)]
pub struct States<'u, M>(Tenant<'u, M>);

impl<M: Mode> Unit<AppScope, M> {
    pub fn states(&self) -> States<'_, M> {
        States(self.tenant())
    }
}

impl<M: Mode> States<'_, M> {
    /// What the last successful run of this agent left, for the scope's own owner: its end-user, or the application itself.
    pub async fn previous(&self, agent: &PackageName) -> Result<Option<Value>, StoreError> {
        let owner = self.0.bounds.sight.end_user().map(|id| id.to_string());
        let of_owner = owner.map_or_else(|| Column::EndUserId.is_null(), |own| Column::EndUserId.eq(own));
        let row = self.0.find::<Entity>().filter(Column::Agent.eq(agent.to_string())).filter(of_owner).one().await?;
        row.map(|row| json(&row.state, "the state of an agent")).transpose()
    }
}

/// Keeps the state for the scope's own owner. Of two runs that end together the later one stands.
pub(super) async fn keep(tenant: &Tenant<'_, Writing>, agent: &PackageName, run: RunId, state: &Value) -> Result<(), StoreError> {
    const KEEP: &str = "INSERT INTO run_states (org_id, app_id, agent, end_user_id, state, run_id, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (app_id, agent, (coalesce(end_user_id, '')))
        DO UPDATE SET state = excluded.state, run_id = excluded.run_id, updated_at = excluded.updated_at";
    let sight = tenant.bounds.sight;
    let values: [sea_orm::Value; 7] = [
        tenant.bounds.org.to_string().into(),
        sight.app().ok_or(StoreError::OutOfReach)?.to_string().into(),
        agent.to_string().into(),
        sight.end_user().map(|id| id.to_string()).into(),
        to_json(state).into(),
        run.to_string().into(),
        tenant.now().timestamp_millis().into(),
    ];
    tenant.transaction.execute_raw(Statement::from_sql_and_values(tenant.store.engine.backend(), KEEP, values)).await?;
    Ok(())
}
