//! Profiles: each belongs to exactly one owner and holds that owner's connections.

use domain::{EndUserId, ProfileId, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Order};

use crate::entities::{self, At, profile};
use crate::scope::{Bounds, InOrg};
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// Whose a profile or connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A member, in one application.
    User(UserId),
    EndUser(EndUserId),
    /// The application of the scope.
    Application,
    /// The organization of the scope, for all its applications.
    Organization,
}

impl Holder {
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::EndUser(_) => "end_user",
            Self::Application => "application",
            Self::Organization => "organization",
        }
    }

    pub(super) fn user(self) -> Option<String> {
        if let Self::User(id) = self { Some(id.to_string()) } else { None }
    }

    pub(super) fn end_user(self) -> Option<String> {
        if let Self::EndUser(id) = self { Some(id.to_string()) } else { None }
    }

    /// The columns `place` and `holder`.
    ///
    /// # Errors
    /// [`StoreError::OutOfReach`]: what belongs to an application is written in an application's scope.
    pub(super) fn columns(self, bounds: Bounds) -> Result<(String, String), StoreError> {
        let org = bounds.org.to_string();
        let app = || bounds.sight.app().map(|id| id.to_string()).ok_or(StoreError::OutOfReach);
        Ok(match self {
            Self::User(id) => (app()?, id.to_string()),
            Self::EndUser(id) => (app()?, id.to_string()),
            Self::Application => (app()?, app()?),
            Self::Organization => (org.clone(), org),
        })
    }

    pub(super) fn read(kind: &str, user: Option<&str>, end_user: Option<&str>) -> Result<Self, StoreError> {
        const WHAT: &str = "the owner of a connection";
        match (kind, user, end_user) {
            ("user", Some(id), None) => Ok(Self::User(entities::parse(id, WHAT)?)),
            ("end_user", None, Some(id)) => Ok(Self::EndUser(entities::parse(id, WHAT)?)),
            ("application", None, None) => Ok(Self::Application),
            ("organization", None, None) => Ok(Self::Organization),
            _ => Err(StoreError::Corrupt { what: WHAT }),
        }
    }
}

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub id: ProfileId,
    pub holder: Holder,
    pub name: String,
    /// At most one profile of an owner in an application is its default.
    pub is_default: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A profile to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProfile {
    pub holder: Holder,
    pub name: String,
    pub is_default: bool,
}

/// The profiles that the scope sees: an application's key all of its application and of the organization, a member its own and
/// the common ones, an end-user its own; an organization's scope the organization's.
#[derive(Debug)]
pub struct Profiles<'u, M>(Tenant<'u, M>);

impl<S: InOrg, M: Mode> Unit<S, M> {
    pub fn profiles(&self) -> Profiles<'_, M> {
        Profiles(self.tenant())
    }
}

impl<M: Mode> Profiles<'_, M> {
    pub async fn get(&self, id: ProfileId) -> Result<Option<Profile>, StoreError> {
        let row = self.0.find::<profile::Entity>().filter(profile::Column::Id.eq(id.to_string())).one().await?;
        row.map(Profile::try_from).transpose()
    }

    /// The owner's default profile. `None`: it has none, or the scope does not see it.
    pub async fn default_of(&self, holder: Holder) -> Result<Option<Profile>, StoreError> {
        use profile::Column;
        let (place, holder) = holder.columns(self.0.bounds)?;
        let rows = self.0.find::<profile::Entity>().filter(Column::Place.eq(place)).filter(Column::Holder.eq(holder));
        rows.filter(Column::IsDefault.eq(true)).one().await?.map(Profile::try_from).transpose()
    }

    /// Newest first.
    pub async fn list(&self, page: Page) -> Result<Paged<Profile>, StoreError> {
        let rows = self.0.find::<profile::Entity>();
        let rows = rows.order_by(Expr::col(profile::Column::CreatedAt), Order::Desc).order_by(Expr::col(profile::Column::Id), Order::Desc);
        rows.page(page).await?.try_map(Profile::try_from)
    }
}

impl Profiles<'_, Writing> {
    /// # Errors
    /// [`StoreError::OutOfReach`] when the scope may not write for this owner; [`StoreError::Conflict`] on
    /// [`crate::constraint::DEFAULT_PROFILE`].
    pub async fn create(&self, new: NewProfile) -> Result<Profile, StoreError> {
        let now = At(self.0.now());
        let (place, holder) = new.holder.columns(self.0.bounds)?;
        let row = profile::ActiveModel {
            id: Set(ProfileId::new(self.0.ids()).to_string()),
            owner: Set(new.holder.kind().to_owned()),
            user_id: Set(new.holder.user()),
            end_user_id: Set(new.holder.end_user()),
            place: Set(place),
            holder: Set(holder),
            name: Set(new.name),
            is_default: Set(new.is_default),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        self.0.insert::<profile::Entity>(row).await?.try_into()
    }

    /// The owner's default profile, made if it has none.
    pub async fn ensure_default(&self, holder: Holder) -> Result<Profile, StoreError> {
        match self.default_of(holder).await? {
            Some(profile) => Ok(profile),
            None => self.create(NewProfile { holder, name: "Default".to_owned(), is_default: true }).await,
        }
    }

    /// The profile after the change. `None`: no such profile that the scope may change.
    pub async fn rename(&self, id: ProfileId, name: String) -> Result<Option<Profile>, StoreError> {
        use profile::Column;
        let update = self.0.update::<profile::Entity>().filter(Column::Id.eq(id.to_string()));
        let update = update.set(Column::Name, name).set(Column::UpdatedAt, At(self.0.now()));
        update.returning_one().await?.map(Profile::try_from).transpose()
    }

    /// Deletes the profile and its connections. `false`: no such profile that the scope may delete.
    pub async fn delete(&self, id: ProfileId) -> Result<bool, StoreError> {
        Ok(self.0.delete::<profile::Entity>().filter(profile::Column::Id.eq(id.to_string())).run().await? == 1)
    }
}

impl TryFrom<profile::Model> for Profile {
    type Error = StoreError;

    fn try_from(row: profile::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: entities::parse(&row.id, "a profile")?,
            holder: Holder::read(&row.owner, row.user_id.as_deref(), row.end_user_id.as_deref())?,
            name: row.name,
            is_default: row.is_default,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
