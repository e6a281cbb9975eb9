//! Connections: stored credentials for one provider, in one profile.

use domain::{ConnectionId, PackageName, ProfileId, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Order};

use super::Holder;
use crate::catalog::find_package;
use crate::entities::{self, At, connection, profile};
use crate::scope::{InOrg, Sight};
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// A connection, without its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub profile: ProfileId,
    pub holder: Holder,
    pub provider: PackageName,
    /// As in the provider's definition.
    pub auth_mode: String,
    /// Granted by the provider.
    pub scopes: Vec<String>,
    pub needs_reconnection: bool,
    /// When the credentials stop working by themselves.
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A connection to store. The caller makes the id first, because the seal is bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConnection {
    pub id: ConnectionId,
    pub profile: ProfileId,
    pub provider: PackageName,
    pub auth_mode: String,
    pub sealed: Vec<u8>,
    pub scopes: Vec<String>,
    pub expires_at: Option<Timestamp>,
}

/// New credentials of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsChange {
    pub sealed: Vec<u8>,
    pub scopes: Vec<String>,
    pub expires_at: Option<Timestamp>,
}

/// Which connections a list holds; `None` does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    pub provider: Option<PackageName>,
    pub profile: Option<ProfileId>,
    pub holder: Option<Holder>,
}

/// The connections that the scope sees, as for [`super::Profiles`].
#[derive(Debug)]
pub struct Connections<'u, M>(Tenant<'u, M>);

impl<S: InOrg, M: Mode> Unit<S, M> {
    pub fn connections(&self) -> Connections<'_, M> {
        Connections(self.tenant())
    }
}

impl<M: Mode> Connections<'_, M> {
    pub async fn get(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        self.row(id).await?.map(Connection::try_from).transpose()
    }

    /// The sealed credentials.
    pub async fn sealed(&self, id: ConnectionId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.row(id).await?.map(|row| row.sealed))
    }

    /// Newest first.
    pub async fn list(&self, filter: &ConnectionFilter, page: Page) -> Result<Paged<Connection>, StoreError> {
        use connection::Column;
        let mut rows = self.0.find::<connection::Entity>();
        if let Some(provider) = &filter.provider {
            rows = rows.filter(Column::Provider.eq(provider.as_str()));
        }
        if let Some(profile) = filter.profile {
            rows = rows.filter(Column::ProfileId.eq(profile.to_string()));
        }
        if let Some(holder) = filter.holder {
            let (place, holder) = holder.columns(self.0.bounds)?;
            rows = rows.filter(Column::Place.eq(place)).filter(Column::Holder.eq(holder));
        }
        let rows = rows.order_by(Expr::col(Column::CreatedAt), Order::Desc).order_by(Expr::col(Column::Id), Order::Desc);
        rows.page(page).await?.try_map(Connection::try_from)
    }

    /// The connections that a run in this scope may use for a provider, best first: the caller's own, the application's, the
    /// organization's; in each the default profile's, then the oldest. Open the unit with [`crate::AppScope::for_run`].
    pub async fn usable(&self, provider: &PackageName) -> Result<Vec<Connection>, StoreError> {
        use connection::Column;
        let mut rows = self.0.find::<connection::Entity>().filter(Column::Provider.eq(provider.as_str()));
        if let Sight::Application(_) | Sight::Organization = self.0.bounds.sight {
            // The application acting for itself borrows nobody's own connection.
            rows = rows.filter(Column::Owner.is_in(["application", "organization"]));
        }
        let rows = rows.order_by(Expr::col(Column::CreatedAt), Order::Asc).order_by(Expr::col(Column::Id), Order::Asc).all().await?;
        let ids = rows.iter().map(|row| row.profile_id.clone());
        let defaults = self.0.find::<profile::Entity>().filter(profile::Column::IsDefault.eq(true));
        let defaults = defaults.filter(profile::Column::Id.is_in(ids)).all().await?;
        let mut rows: Vec<_> = rows.into_iter().map(|row| (rank(&row, &defaults), row)).collect();
        rows.sort_by_key(|(rank, _)| *rank);
        rows.into_iter().map(|(_, row)| row.try_into()).collect()
    }

    async fn row(&self, id: ConnectionId) -> Result<Option<connection::Model>, StoreError> {
        self.0.find::<connection::Entity>().filter(connection::Column::Id.eq(id.to_string())).one().await
    }
}

fn rank(row: &connection::Model, defaults: &[profile::Model]) -> (u8, bool) {
    let distance = match row.owner.as_str() {
        "application" => 1,
        "organization" => 2,
        _ => 0,
    };
    (distance, !defaults.iter().any(|profile| profile.id == row.profile_id))
}

impl Connections<'_, Writing> {
    /// Stores a connection in a profile. `None`: the scope sees no such profile or provider.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::CONNECTION`]; [`StoreError::OutOfReach`] when the scope may not write for
    /// the profile's owner.
    pub async fn create(&self, new: NewConnection) -> Result<Option<Connection>, StoreError> {
        let profile = self.0.find::<profile::Entity>().filter(profile::Column::Id.eq(new.profile.to_string())).one().await?;
        let provider = find_package(&self.0, &new.provider).await?;
        let (Some(profile), Some(provider)) = (profile, provider) else {
            return Ok(None);
        };
        let now = At(self.0.now());
        let row = connection::ActiveModel {
            id: Set(new.id.to_string()),
            owner: Set(profile.owner),
            user_id: Set(profile.user_id),
            end_user_id: Set(profile.end_user_id),
            place: Set(profile.place),
            holder: Set(profile.holder),
            profile_id: Set(profile.id),
            provider: Set(provider.name),
            provider_owner: Set(provider.owner),
            auth_mode: Set(new.auth_mode),
            sealed: Set(new.sealed),
            scopes: Set(entities::to_json(&new.scopes)),
            needs_reconnection: Set(false),
            expires_at: Set(new.expires_at.map(At)),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        Ok(Some(self.0.insert::<connection::Entity>(row).await?.try_into()?))
    }

    /// Replaces the credentials; the connection works again. `None`: no such connection that the scope may change.
    pub async fn replace_credentials(&self, id: ConnectionId, change: CredentialsChange) -> Result<Option<Connection>, StoreError> {
        use connection::Column;
        let update = self.0.update::<connection::Entity>().filter(Column::Id.eq(id.to_string()));
        let update = update
            .set(Column::Sealed, change.sealed)
            .set(Column::Scopes, entities::to_json(&change.scopes))
            .set(Column::ExpiresAt, change.expires_at.map(At))
            .set(Column::NeedsReconnection, false)
            .set(Column::UpdatedAt, At(self.0.now()));
        update.returning_one().await?.map(Connection::try_from).transpose()
    }

    /// Says that the credentials no longer work. `false`: no such connection that the scope may change.
    pub async fn needs_reconnection(&self, id: ConnectionId) -> Result<bool, StoreError> {
        use connection::Column;
        let update = self.0.update::<connection::Entity>().filter(Column::Id.eq(id.to_string()));
        Ok(update.set(Column::NeedsReconnection, true).set(Column::UpdatedAt, At(self.0.now())).run().await? == 1)
    }

    /// Deletes the credentials. `false`: no such connection that the scope may delete.
    pub async fn delete(&self, id: ConnectionId) -> Result<bool, StoreError> {
        Ok(self.0.delete::<connection::Entity>().filter(connection::Column::Id.eq(id.to_string())).run().await? == 1)
    }
}

impl TryFrom<connection::Model> for Connection {
    type Error = StoreError;

    fn try_from(row: connection::Model) -> Result<Self, StoreError> {
        const WHAT: &str = "a connection";
        Ok(Self {
            id: entities::parse(&row.id, WHAT)?,
            profile: entities::parse(&row.profile_id, WHAT)?,
            holder: Holder::read(&row.owner, row.user_id.as_deref(), row.end_user_id.as_deref())?,
            provider: entities::parse(&row.provider, WHAT)?,
            auth_mode: row.auth_mode,
            scopes: entities::json(&row.scopes, WHAT)?,
            needs_reconnection: row.needs_reconnection,
            expires_at: row.expires_at.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
