//! Stored keys of model providers. What is stored is sealed; crate `connect` seals and opens.

use domain::{ProviderKeyId, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Order};
use wire::run_spec::ModelProtocol;

use crate::entities::{self, At, model, provider_key};
use crate::scope::InOrg;
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// A stored key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderKey {
    pub id: ProviderKeyId,
    pub label: String,
    pub protocol: ModelProtocol,
    pub base_url: String,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A key to store. The caller makes the id first, because the seal is bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProviderKey {
    pub id: ProviderKeyId,
    pub label: String,
    pub protocol: ModelProtocol,
    pub base_url: String,
    pub sealed: Vec<u8>,
    pub created_by: UserId,
}

/// A partial update; `None` leaves a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderKeyChange {
    pub label: Option<String>,
    pub protocol: Option<ModelProtocol>,
    pub base_url: Option<String>,
    pub sealed: Option<Vec<u8>>,
}

/// The stored keys of one organization.
#[derive(Debug)]
pub struct ProviderKeys<'u, M>(Tenant<'u, M>);

impl<S: InOrg, M: Mode> Unit<S, M> {
    pub fn provider_keys(&self) -> ProviderKeys<'_, M> {
        ProviderKeys(self.tenant())
    }
}

impl<M: Mode> ProviderKeys<'_, M> {
    pub async fn get(&self, id: ProviderKeyId) -> Result<Option<ProviderKey>, StoreError> {
        self.row(id).await?.map(ProviderKey::try_from).transpose()
    }

    /// The sealed secret.
    pub async fn sealed(&self, id: ProviderKeyId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.row(id).await?.map(|row| row.sealed))
    }

    /// Newest first.
    pub async fn list(&self, page: Page) -> Result<Paged<ProviderKey>, StoreError> {
        use provider_key::Column;
        let rows = self.0.find::<provider_key::Entity>();
        let rows = rows.order_by(Expr::col(Column::CreatedAt), Order::Desc).order_by(Expr::col(Column::Id), Order::Desc);
        rows.page(page).await?.try_map(ProviderKey::try_from)
    }

    async fn row(&self, id: ProviderKeyId) -> Result<Option<provider_key::Model>, StoreError> {
        self.0.find::<provider_key::Entity>().filter(provider_key::Column::Id.eq(id.to_string())).one().await
    }
}

impl ProviderKeys<'_, Writing> {
    pub async fn create(&self, new: NewProviderKey) -> Result<ProviderKey, StoreError> {
        let now = At(self.0.now());
        let row = provider_key::ActiveModel {
            id: Set(new.id.to_string()),
            label: Set(new.label),
            protocol: Set(new.protocol.as_str().to_owned()),
            base_url: Set(new.base_url),
            sealed: Set(new.sealed),
            created_by: Set(Some(new.created_by.to_string())),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        self.0.insert::<provider_key::Entity>(row).await?.try_into()
    }

    /// As [`ProviderKeys::get`], and until this write ends nobody else changes the key, or gives it to a model after asking for it here.
    pub async fn get_to_change(&self, id: ProviderKeyId) -> Result<Option<ProviderKey>, StoreError> {
        let row = self.0.find::<provider_key::Entity>().filter(provider_key::Column::Id.eq(id.to_string())).held().one().await?;
        row.map(ProviderKey::try_from).transpose()
    }

    /// The key after the change. `None`: no such key.
    pub async fn update(&self, id: ProviderKeyId, change: ProviderKeyChange) -> Result<Option<ProviderKey>, StoreError> {
        use provider_key::Column;
        let update = self.0.update::<provider_key::Entity>().filter(Column::Id.eq(id.to_string())).set(Column::UpdatedAt, At(self.0.now()));
        let update = update
            .set_some(Column::Label, change.label)
            .set_some(Column::Protocol, change.protocol.map(ModelProtocol::as_str))
            .set_some(Column::BaseUrl, change.base_url)
            .set_some(Column::Sealed, change.sealed);
        update.returning_one().await?.map(ProviderKey::try_from).transpose()
    }

    /// `false`: no such key.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while a model uses it.
    pub async fn delete(&self, id: ProviderKeyId) -> Result<bool, StoreError> {
        let user = self.0.find::<model::Entity>().filter(model::Column::ProviderKeyId.eq(id.to_string())).limit(1).one().await?;
        if user.is_some() {
            return Err(StoreError::InUse);
        }
        Ok(self.0.delete::<provider_key::Entity>().filter(provider_key::Column::Id.eq(id.to_string())).run().await? == 1)
    }
}

impl TryFrom<provider_key::Model> for ProviderKey {
    type Error = StoreError;

    fn try_from(row: provider_key::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: entities::parse(&row.id, "a provider key")?,
            label: row.label,
            protocol: ModelProtocol::parse(&row.protocol).ok_or(StoreError::Corrupt { what: "a model protocol" })?,
            base_url: row.base_url,
            created_by: entities::parse_some(row.created_by.as_deref(), "a provider key's creator")?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
