//! A run without what it was given and what it produced: what streams tell of it.

use domain::{AppId, EndUserId, KeyId, NanoUsd, OrgId, PackageName, RunId, RunStatus, Timestamp, UserId};
use sea_orm::{ColumnTrait as _, DerivePartialModel, Order};

use super::list::Runs;
use super::row;
use crate::StoreError;
use crate::entities::run::Column;
use crate::entities::{At, parse, parse_some, run};
use crate::unit::Mode;

/// What a run is and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOutline {
    pub id: RunId,
    pub org: OrgId,
    pub app: AppId,
    pub end_user: Option<EndUserId>,
    /// The package and its version; both `None` for an inline run.
    pub agent: Option<PackageName>,
    pub version: Option<String>,
    pub status: RunStatus,
    pub user: Option<UserId>,
    pub key: Option<KeyId>,
    pub error: Option<String>,
    pub error_code: Option<String>,
    pub cost: NanoUsd,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
}

impl RunOutline {
    /// Milliseconds from start to end.
    pub fn duration_ms(&self) -> Option<i64> {
        Some((self.completed_at? - self.started_at?).num_milliseconds())
    }
}

#[derive(Debug, DerivePartialModel)]
#[sea_orm(entity = "run::Entity")]
struct Columns {
    id: String,
    org_id: String,
    app_id: String,
    end_user_id: Option<String>,
    agent: Option<String>,
    version: Option<String>,
    status: String,
    user_id: Option<String>,
    key_id: Option<String>,
    error: Option<String>,
    error_code: Option<String>,
    cost: i64,
    created_at: At,
    started_at: Option<At>,
    completed_at: Option<At>,
}

impl<M: Mode> Runs<'_, M> {
    /// These runs, as far as the scope reaches, in no order.
    pub async fn outlines(&self, ids: &[RunId]) -> Result<Vec<RunOutline>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.tenant.find::<run::Entity>().filter(Column::Id.is_in(ids.iter().map(ToString::to_string)));
        rows.all_partial::<Columns>().await?.into_iter().map(RunOutline::try_from).collect()
    }

    /// The newest runs, of one agent or of all, newest first.
    pub async fn newest_outlines(&self, agent: Option<&PackageName>, most: u32) -> Result<Vec<RunOutline>, StoreError> {
        let mut rows = self.tenant.find::<run::Entity>();
        if let Some(agent) = agent {
            rows = rows.filter(Column::Agent.eq(agent.to_string()));
        }
        let rows = rows.order_by(Column::CreatedAt, Order::Desc).order_by(Column::Id, Order::Desc).limit(u64::from(most));
        rows.all_partial::<Columns>().await?.into_iter().map(RunOutline::try_from).collect()
    }
}

impl TryFrom<Columns> for RunOutline {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        const WHAT: &str = "a run";
        Ok(Self {
            id: parse(&row.id, WHAT)?,
            org: parse(&row.org_id, WHAT)?,
            app: parse(&row.app_id, WHAT)?,
            end_user: parse_some(row.end_user_id.as_deref(), WHAT)?,
            agent: parse_some(row.agent.as_deref(), WHAT)?,
            version: row.version,
            status: row::status(&row.status)?,
            user: parse_some(row.user_id.as_deref(), WHAT)?,
            key: parse_some(row.key_id.as_deref(), WHAT)?,
            error: row.error,
            error_code: row.error_code,
            cost: NanoUsd(row.cost),
            created_at: row.created_at.0,
            started_at: row.started_at.map(|at| at.0),
            completed_at: row.completed_at.map(|at| at.0),
        })
    }
}
