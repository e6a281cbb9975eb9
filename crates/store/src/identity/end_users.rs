//! End-users: the customers of the embedding company, inside one application.

use domain::{EndUserId, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Order};
use serde_json::{Map, Value};

use crate::entities::{self, At, end_user, event, idempotency_record, job};
use crate::scope::AppScope;
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// A customer of the embedding company.
#[derive(Clone, Debug, PartialEq)]
pub struct EndUser {
    pub id: EndUserId,
    /// The company's own id; unique in the application.
    pub external_id: Option<String>,
    pub name: Option<String>,
    /// Unique in the application.
    pub email: Option<String>,
    pub metadata: Map<String, Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An end-user to create.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewEndUser {
    pub external_id: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub metadata: Map<String, Value>,
}

/// A partial update: `None` leaves a field, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndUserChange {
    pub external_id: Option<Option<String>>,
    pub name: Option<Option<String>>,
    pub email: Option<Option<String>>,
    /// Replaces the whole object; merging is the caller's.
    pub metadata: Option<Map<String, Value>>,
}

/// Which end-users a list holds; `None` does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndUserFilter {
    pub external_id: Option<String>,
    pub email: Option<String>,
}

/// The end-users of one application. Under an end-user's scope: only that one.
#[derive(Debug)]
pub struct EndUsers<'u, M>(Tenant<'u, M>);

impl<M: Mode> Unit<AppScope, M> {
    pub fn end_users(&self) -> EndUsers<'_, M> {
        EndUsers(self.tenant())
    }
}

impl<M: Mode> EndUsers<'_, M> {
    /// `None`: this scope sees no such end-user.
    pub async fn get(&self, id: EndUserId) -> Result<Option<EndUser>, StoreError> {
        let row = self.0.find::<end_user::Entity>().filter(end_user::Column::Id.eq(id.to_string())).one().await?;
        row.map(EndUser::try_from).transpose()
    }

    /// Newest first.
    pub async fn list(&self, filter: &EndUserFilter, page: Page) -> Result<Paged<EndUser>, StoreError> {
        let mut rows = self.0.find::<end_user::Entity>();
        if let Some(external_id) = &filter.external_id {
            rows = rows.filter(end_user::Column::ExternalId.eq(external_id.as_str()));
        }
        if let Some(email) = &filter.email {
            rows = rows.filter(end_user::Column::Email.eq(email.as_str()));
        }
        let rows =
            rows.order_by(Expr::col(end_user::Column::CreatedAt), Order::Desc).order_by(Expr::col(end_user::Column::Id), Order::Desc);
        rows.page(page).await?.try_map(EndUser::try_from)
    }
}

impl EndUsers<'_, Writing> {
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::END_USER_EXTERNAL_ID`] or [`crate::constraint::END_USER_EMAIL`];
    /// [`StoreError::OutOfReach`] under an end-user's scope.
    pub async fn create(&self, new: NewEndUser) -> Result<EndUser, StoreError> {
        let now = At(self.0.now());
        let row = end_user::ActiveModel {
            id: Set(EndUserId::new(self.0.ids()).to_string()),
            external_id: Set(new.external_id),
            name: Set(new.name),
            email: Set(new.email),
            metadata: Set(entities::to_json(&new.metadata)),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        self.0.insert::<end_user::Entity>(row).await?.try_into()
    }

    /// As [`Self::get`], and nobody else changes the end-user until this write ends.
    pub async fn get_to_change(&self, id: EndUserId) -> Result<Option<EndUser>, StoreError> {
        let row = self.0.find::<end_user::Entity>().filter(end_user::Column::Id.eq(id.to_string())).locked().one().await?;
        row.map(EndUser::try_from).transpose()
    }

    /// The end-user after the change. `None`: this scope sees no such end-user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] as for [`Self::create`].
    pub async fn update(&self, id: EndUserId, change: EndUserChange) -> Result<Option<EndUser>, StoreError> {
        use end_user::Column;
        let update = self.0.update::<end_user::Entity>().filter(Column::Id.eq(id.to_string())).set(Column::UpdatedAt, At(self.0.now()));
        let update = update
            .set_some(Column::ExternalId, change.external_id)
            .set_some(Column::Name, change.name)
            .set_some(Column::Email, change.email)
            .set_some(Column::Metadata, change.metadata.as_ref().map(entities::to_json));
        update.returning_one().await?.map(EndUser::try_from).transpose()
    }

    /// Deletes the end-user and all that is its own. `false`: this scope sees no such end-user.
    ///
    /// Foreign keys take along what cannot be without it. Events, jobs and answers refer to it by no foreign key, because they
    /// outlive other subjects, and go here, after the runs: a worker that was writing an event has committed it by then, and none
    /// follows. Ledger and audit rows stay. The table of fates is docs/reference/end-users.md.
    pub async fn delete(&self, id: EndUserId) -> Result<bool, StoreError> {
        let own = id.to_string();
        if self.0.delete::<end_user::Entity>().filter(end_user::Column::Id.eq(own.as_str())).run().await? == 0 {
            return Ok(false);
        }
        self.0.delete::<event::Entity>().filter(event::Column::EndUserId.eq(own.as_str())).run().await?;
        self.0.delete::<job::Entity>().filter(job::Column::EndUserId.eq(own.as_str())).run().await?;
        self.0.delete::<idempotency_record::Entity>().filter(idempotency_record::Column::EndUserId.eq(own.as_str())).run().await?;
        Ok(true)
    }
}

impl TryFrom<end_user::Model> for EndUser {
    type Error = StoreError;

    fn try_from(row: end_user::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: entities::parse(&row.id, "an end-user")?,
            external_id: row.external_id,
            name: row.name,
            email: row.email,
            metadata: entities::json(&row.metadata, "an end-user's metadata")?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
