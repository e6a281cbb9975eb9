//! Reading runs.

use domain::{PackageName, RunId, RunStatus};
use sea_orm::{ColumnTrait as _, Order};

use super::row::Run;
use super::totals;
use crate::entities::run::{Column, Entity};
use crate::scope::AppScope;
use crate::scoped::{ScopedSelect, Tenant};
use crate::unit::{Mode, Unit};
use crate::{Page, Paged, StoreError};

/// The runs of one application, as far as the scope reaches.
#[derive(Debug)]
pub struct Runs<'u, M: Mode> {
    pub(super) unit: &'u Unit<AppScope, M>,
    pub(super) tenant: Tenant<'u, M>,
}

/// Which runs a list holds. Nothing set: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    pub agent: Option<PackageName>,
    pub status: Option<RunStatus>,
}

impl<M: Mode> Unit<AppScope, M> {
    pub fn runs(&self) -> Runs<'_, M> {
        Runs { unit: self, tenant: self.tenant() }
    }
}

impl<M: Mode> Runs<'_, M> {
    /// `None`: the scope reaches no such run.
    pub async fn get(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.tenant.find::<Entity>().filter(Column::Id.eq(id.to_string())).one().await?.map(Run::try_from).transpose()
    }

    /// Newest first. The total of an unfiltered list comes from counters.
    pub async fn list(&self, filter: &RunFilter, page: Page) -> Result<Paged<Run>, StoreError> {
        let mut select = self.newest();
        if let Some(agent) = &filter.agent {
            select = select.filter(Column::Agent.eq(agent.to_string()));
        }
        if let Some(status) = filter.status {
            select = select.filter(Column::Status.eq(status.as_str()));
        }
        let rows = if *filter == RunFilter::default() {
            select.page_counted(page, totals::total(&self.tenant)).await?
        } else {
            select.page(page).await?
        };
        rows.try_map(Run::try_from)
    }

    /// The last successful runs of the same agent and the same owner as the scope's (an end-user, or none), newest first, without
    /// the run that asks.
    pub async fn history(&self, agent: &PackageName, asking: RunId, most: u32) -> Result<Vec<Run>, StoreError> {
        let owner = self.tenant.bounds.sight.end_user().map(|id| id.to_string());
        let of_owner = owner.map_or_else(|| Column::EndUserId.is_null(), |own| Column::EndUserId.eq(own));
        let rows = self
            .newest()
            .filter(Column::Agent.eq(agent.to_string()))
            .filter(of_owner)
            .filter(Column::Status.eq(RunStatus::Success.as_str()))
            .filter(Column::Id.ne(asking.to_string()))
            .limit(u64::from(most))
            .all()
            .await?;
        rows.into_iter().map(Run::try_from).collect()
    }

    fn newest(&self) -> ScopedSelect<'_, Entity> {
        self.tenant.find::<Entity>().order_by(Column::CreatedAt, Order::Desc).order_by(Column::Id, Order::Desc)
    }
}
