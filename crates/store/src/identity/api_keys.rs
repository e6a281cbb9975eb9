//! API keys of one application.

use domain::{KeyId, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Order};

use crate::entities::{self, At, api_key};
use crate::scope::AppScope;
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: KeyId,
    pub name: String,
    /// The secret's first characters, for recognition.
    pub prefix: String,
    pub scopes: Vec<String>,
    pub created_by: UserId,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// Some seconds late.
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// A key to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    pub name: String,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    pub prefix: String,
    pub scopes: Vec<String>,
    pub created_by: UserId,
    pub expires_at: Option<Timestamp>,
}

/// A partial update; `None` leaves a field, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiKeyChange {
    pub name: Option<String>,
    pub expires_at: Option<Option<Timestamp>>,
    /// The whole new set. That it is no wider than before is the caller's rule.
    pub scopes: Option<Vec<String>>,
}

/// The keys of one application.
#[derive(Debug)]
pub struct ApiKeys<'u, M>(Tenant<'u, M>);

impl<M: Mode> Unit<AppScope, M> {
    pub fn api_keys(&self) -> ApiKeys<'_, M> {
        ApiKeys(self.tenant())
    }
}

impl<M: Mode> ApiKeys<'_, M> {
    /// `None`: no such key in this application.
    pub async fn get(&self, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        let row = self.0.find::<api_key::Entity>().filter(api_key::Column::Id.eq(id.to_string())).one().await?;
        row.map(ApiKey::try_from).transpose()
    }

    /// Newest first, revoked ones too.
    pub async fn list(&self, page: Page) -> Result<Paged<ApiKey>, StoreError> {
        let rows = self.0.find::<api_key::Entity>();
        let rows = rows.order_by(Expr::col(api_key::Column::CreatedAt), Order::Desc).order_by(Expr::col(api_key::Column::Id), Order::Desc);
        rows.page(page).await?.try_map(ApiKey::try_from)
    }
}

impl ApiKeys<'_, Writing> {
    pub async fn create(&self, new: NewApiKey) -> Result<ApiKey, StoreError> {
        let row = api_key::ActiveModel {
            id: Set(KeyId::new(self.0.ids()).to_string()),
            name: Set(new.name),
            hash: Set(new.hash.to_vec()),
            prefix: Set(new.prefix),
            scopes: Set(entities::to_json(&new.scopes)),
            created_by: Set(new.created_by.to_string()),
            created_at: Set(At(self.0.now())),
            expires_at: Set(new.expires_at.map(At)),
            ..Default::default()
        };
        self.0.insert::<api_key::Entity>(row).await?.try_into()
    }

    /// As [`Self::get`], and nobody else changes the key until this write ends.
    pub async fn get_to_change(&self, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        let row = self.0.find::<api_key::Entity>().filter(api_key::Column::Id.eq(id.to_string())).locked().one().await?;
        row.map(ApiKey::try_from).transpose()
    }

    /// The key after the change. `None`: no such key.
    pub async fn update(&self, id: KeyId, change: ApiKeyChange) -> Result<Option<ApiKey>, StoreError> {
        use api_key::Column;
        // The id is set to itself, so that an empty change is a statement too.
        let update = self.0.update::<api_key::Entity>().filter(Column::Id.eq(id.to_string())).set(Column::Id, id.to_string());
        let update = update
            .set_some(Column::Name, change.name)
            .set_some(Column::ExpiresAt, change.expires_at.map(|at| at.map(At)))
            .set_some(Column::Scopes, change.scopes.as_ref().map(entities::to_json));
        update.returning_one().await?.map(ApiKey::try_from).transpose()
    }

    /// Ends the key for good, from the next request on. `false`: no such key, or revoked before.
    pub async fn revoke(&self, id: KeyId) -> Result<bool, StoreError> {
        use api_key::Column;
        let update = self.0.update::<api_key::Entity>().filter(Column::Id.eq(id.to_string())).filter(Column::RevokedAt.is_null());
        Ok(update.set(Column::RevokedAt, At(self.0.now())).run().await? == 1)
    }
}

impl TryFrom<api_key::Model> for ApiKey {
    type Error = StoreError;

    fn try_from(row: api_key::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: entities::parse(&row.id, "a key")?,
            name: row.name,
            prefix: row.prefix,
            scopes: entities::json(&row.scopes, "a key's scopes")?,
            created_by: entities::parse(&row.created_by, "a key's creator")?,
            created_at: row.created_at.0,
            expires_at: row.expires_at.map(|at| at.0),
            last_used_at: row.last_used_at.map(|at| at.0),
            revoked_at: row.revoked_at.map(|at| at.0),
        })
    }
}
