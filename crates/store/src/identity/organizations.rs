//! Organizations: made by the platform for a signed-in user, then read and changed in their own scope.

use std::sync::atomic::Ordering;

use domain::{AppId, OrgId, Role, Timestamp, UserId};
use sea_orm::{ActiveValue::Set, EntityTrait as _};
use serde_json::{Map, Value};

use super::applications;
use super::{Application, NewApplication, members};
use crate::StoreError;
use crate::entities::{self, At, application, organization, run_activity};
use crate::scope::{Bounds, InOrg, OrgScope, Sight, SystemScope};
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};

/// The member of the settings that pins the API version.
pub(crate) const API_VERSION: &str = "apiVersion";

/// An organization.
#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    pub id: OrgId,
    pub name: String,
    /// Unique on the platform.
    pub slug: String,
    /// `apiVersion` in it pins the version of the API.
    pub settings: Map<String, Value>,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Organization {
    /// The version of the API that callers get who ask for none.
    pub fn pinned_version(&self) -> Option<&str> {
        self.settings.get(API_VERSION).and_then(Value::as_str)
    }
}

/// An organization to create, with its owner and its default application.
#[derive(Clone, Debug, PartialEq)]
pub struct NewOrganization {
    pub name: String,
    pub slug: String,
    pub settings: Map<String, Value>,
    pub owner: UserId,
    /// The name of the default application.
    pub application: String,
}

/// A partial update; `None` leaves a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrganizationChange {
    pub name: Option<String>,
    pub slug: Option<String>,
    pub settings: Option<Map<String, Value>>,
}

/// What became of the wish to delete an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganizationDeletion {
    Done,
    /// It was gone already.
    Missing,
    /// Runs are pending or running; nothing was deleted.
    HasActiveRuns,
}

/// The one organization of the scope.
#[derive(Debug)]
pub struct Organizations<'u, M>(Tenant<'u, M>);

impl<S: InOrg, M: Mode> Unit<S, M> {
    pub fn organization(&self) -> Organizations<'_, M> {
        Organizations(self.tenant())
    }
}

impl<M: Mode> Organizations<'_, M> {
    /// `None`: deleted since the scope was made.
    pub async fn get(&self) -> Result<Option<Organization>, StoreError> {
        self.0.find::<organization::Entity>().one().await?.map(Organization::try_from).transpose()
    }
}

impl Organizations<'_, Writing> {
    /// As [`Self::get`], and kept as it is until this write ends: who would change it too waits.
    pub async fn get_to_change(&self) -> Result<Option<Organization>, StoreError> {
        self.0.find::<organization::Entity>().locked().one().await?.map(Organization::try_from).transpose()
    }

    /// The organization after the change. `None`: deleted since the scope was made.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::ORGANIZATION_SLUG`].
    pub async fn update(&self, change: OrganizationChange) -> Result<Option<Organization>, StoreError> {
        use organization::Column;
        let update = self.0.update::<organization::Entity>().set(Column::UpdatedAt, At(self.0.now()));
        let update = update
            .set_some(Column::Name, change.name)
            .set_some(Column::Slug, change.slug)
            .set_some(Column::Settings, change.settings.as_ref().map(entities::to_json));
        update.returning_one().await?.map(Organization::try_from).transpose()
    }
}

impl Unit<OrgScope, Writing> {
    /// Deletes the organization and everything in it but its audit rows. A promise not to repeat the request cannot be kept past
    /// this: it would have to refer to the organization.
    pub async fn delete_organization(&self) -> Result<OrganizationDeletion, StoreError> {
        let tenant = self.tenant();
        // Applications refer to the organization's row and the first run counts itself under it, so both wait for this lock.
        if tenant.find::<organization::Entity>().locked().one().await?.is_none() {
            return Ok(OrganizationDeletion::Missing);
        }
        let activity = tenant.find::<run_activity::Entity>().locked().one().await?;
        if activity.is_some_and(|activity| activity.active > 0) {
            return Ok(OrganizationDeletion::HasActiveRuns);
        }
        tenant.delete::<organization::Entity>().run().await?;
        self.state.tenant_is_gone.store(true, Ordering::Relaxed);
        Ok(OrganizationDeletion::Done)
    }
}

impl Unit<SystemScope, Writing> {
    /// Creates the organization, the membership of its owner and its default application.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::ORGANIZATION_SLUG`].
    pub async fn create_organization(&self, new: NewOrganization) -> Result<(Organization, Application), StoreError> {
        let (id, now) = (OrgId::new(&*self.store.ids), At(self.store.clock.now()));
        let row = organization::ActiveModel {
            id: Set(id.to_string()),
            name: Set(new.name),
            slug: Set(new.slug),
            settings: Set(entities::to_json(&new.settings)),
            created_by: Set(Some(new.owner.to_string())),
            created_at: Set(now),
            updated_at: Set(now),
        };
        let organization = organization::Entity::insert(row).exec_with_returning(&self.transaction).await?;

        // From here on the rows are the new tenant's, and stamped as such.
        let tenant = self.of_organization(id);
        members::add(&tenant, new.owner, Role::Owner).await?;
        let application = NewApplication { name: new.application, settings: Map::new(), created_by: new.owner };
        let row = applications::new_row(AppId::new(&*self.store.ids), application, true, now);
        let application = tenant.insert::<application::Entity>(row).await?;
        Ok((organization.try_into()?, application.try_into()?))
    }
}

impl Unit<SystemScope, Writing> {
    /// The platform's hands on the rows of one organization; the write's audit row stands there from now on.
    pub(crate) fn of_organization(&self, org: OrgId) -> Tenant<'_, Writing> {
        let bounds = Bounds { org, sight: Sight::Organization };
        // A write that touches several is told by the first.
        self.state.about.get_or_init(|| bounds);
        Tenant { transaction: &self.transaction, bounds, store: &self.store, wakes: &self.wakes, mode: std::marker::PhantomData::<Writing> }
    }
}

impl TryFrom<organization::Model> for Organization {
    type Error = StoreError;

    fn try_from(row: organization::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: entities::parse(&row.id, "an organization")?,
            name: row.name,
            slug: row.slug,
            settings: entities::json(&row.settings, "an organization's settings")?,
            created_by: entities::parse_some(row.created_by.as_deref(), "an organization's creator")?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
