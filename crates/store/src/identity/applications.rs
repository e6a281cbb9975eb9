//! Applications of an organization.

use domain::{AppId, OrgId, RunStatus, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Order};
use serde_json::{Map, Value};

use crate::entities::{self, At, application, run};
use crate::scope::{InOrg, OrgScope};
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// An application.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    pub id: AppId,
    pub org: OrgId,
    pub name: String,
    /// Exactly one application of an organization is its default.
    pub is_default: bool,
    pub settings: Map<String, Value>,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An application to create. It is never the default one: that comes with its organization.
#[derive(Clone, Debug, PartialEq)]
pub struct NewApplication {
    pub name: String,
    pub settings: Map<String, Value>,
    pub created_by: UserId,
}

/// A partial update; `None` leaves a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApplicationChange {
    pub name: Option<String>,
    pub settings: Option<Map<String, Value>>,
}

/// What became of the wish to delete an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationDeletion {
    Done,
    /// The organization has no such application.
    Missing,
    /// It is the default application, which stays as long as the organization.
    IsDefault,
    /// Runs are pending or running; nothing was deleted.
    HasActiveRuns,
}

/// The applications of one organization; under an application's scope too.
#[derive(Debug)]
pub struct Applications<'u, M>(Tenant<'u, M>);

impl<S: InOrg, M: Mode> Unit<S, M> {
    pub fn applications(&self) -> Applications<'_, M> {
        Applications(self.tenant())
    }
}

impl<M: Mode> Applications<'_, M> {
    /// `None`: no such application in this organization.
    pub async fn get(&self, id: AppId) -> Result<Option<Application>, StoreError> {
        let row = self.0.find::<application::Entity>().filter(application::Column::Id.eq(id.to_string())).one().await?;
        row.map(Application::try_from).transpose()
    }

    /// Newest first.
    pub async fn list(&self, page: Page) -> Result<Paged<Application>, StoreError> {
        let rows = self.0.find::<application::Entity>();
        let rows =
            rows.order_by(Expr::col(application::Column::CreatedAt), Order::Desc).order_by(Expr::col(application::Column::Id), Order::Desc);
        rows.page(page).await?.try_map(Application::try_from)
    }
}

impl Unit<OrgScope, Writing> {
    /// Creates an application, never the default one.
    pub async fn create_application(&self, new: NewApplication) -> Result<Application, StoreError> {
        let tenant = self.tenant();
        let row = new_row(AppId::new(tenant.ids()), new, false, At(tenant.now()));
        tenant.insert::<application::Entity>(row).await?.try_into()
    }

    /// Deletes an application and everything in it but its audit rows.
    pub async fn delete_application(&self, id: AppId) -> Result<ApplicationDeletion, StoreError> {
        use application::Column;
        let of_id = Column::Id.eq(id.to_string());
        let found = self.tenant().find::<application::Entity>().filter(of_id.clone()).locked().one().await?;
        match found {
            None => return Ok(ApplicationDeletion::Missing),
            Some(row) if row.is_default => return Ok(ApplicationDeletion::IsDefault),
            Some(_) => {}
        }
        // A new run refers to the application's row and waits for the lock on it, so this count stays true.
        let inside = self.enter_application(id).await?;
        let active = [RunStatus::Pending.as_str(), RunStatus::Running.as_str()];
        let has_active = inside.find::<run::Entity>().filter(run::Column::Status.is_in(active)).limit(1).one().await?.is_some();
        self.leave_application().await?;
        if has_active {
            return Ok(ApplicationDeletion::HasActiveRuns);
        }
        self.tenant().delete::<application::Entity>().filter(of_id).run().await?;
        Ok(ApplicationDeletion::Done)
    }
}

impl Applications<'_, Writing> {
    /// The application after the change. `None`: no such application.
    pub async fn update(&self, id: AppId, change: ApplicationChange) -> Result<Option<Application>, StoreError> {
        use application::Column;
        let update = self.0.update::<application::Entity>().filter(Column::Id.eq(id.to_string())).set(Column::UpdatedAt, At(self.0.now()));
        let update = update.set_some(Column::Name, change.name).set_some(Column::Settings, change.settings.as_ref().map(entities::to_json));
        update.returning_one().await?.map(Application::try_from).transpose()
    }
}

pub(crate) fn new_row(id: AppId, new: NewApplication, is_default: bool, now: At) -> application::ActiveModel {
    application::ActiveModel {
        id: Set(id.to_string()),
        name: Set(new.name),
        is_default: Set(is_default),
        settings: Set(entities::to_json(&new.settings)),
        created_by: Set(Some(new.created_by.to_string())),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
}

impl TryFrom<application::Model> for Application {
    type Error = StoreError;

    fn try_from(row: application::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: entities::parse(&row.id, "an application")?,
            org: entities::parse(&row.org_id, "an application's organization")?,
            name: row.name,
            is_default: row.is_default,
            settings: entities::json(&row.settings, "an application's settings")?,
            created_by: entities::parse_some(row.created_by.as_deref(), "an application's creator")?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
