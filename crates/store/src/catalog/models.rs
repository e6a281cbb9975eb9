//! Language models that an organization has configured. Those of the environment are not rows.

use domain::{ModelId, ProviderKeyId, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Order};
use wire::run_spec::{ModelProtocol, Price};

use crate::entities::{self, At, model, organization};
use crate::scope::InOrg;
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// A configured model.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the API's object")]
pub struct Model {
    pub id: ModelId,
    pub label: String,
    pub protocol: ModelProtocol,
    pub base_url: String,
    /// The vendor's name of it.
    pub model: String,
    /// `None`: a server that wants no key.
    pub provider_key: Option<ProviderKeyId>,
    /// Tokens.
    pub context_window: u64,
    /// Tokens.
    pub max_output_tokens: u64,
    pub reasoning: bool,
    pub accepts_images: bool,
    /// `None`: unknown.
    pub price: Option<Price>,
    pub enabled: bool,
    /// At most one model of an organization is its default.
    pub is_default: bool,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A model to configure.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the API's object")]
pub struct NewModel {
    pub label: String,
    pub protocol: ModelProtocol,
    pub base_url: String,
    pub model: String,
    pub provider_key: Option<ProviderKeyId>,
    pub context_window: u64,
    pub max_output_tokens: u64,
    pub reasoning: bool,
    pub accepts_images: bool,
    pub price: Option<Price>,
    pub enabled: bool,
    /// Takes the place of the default before.
    pub is_default: bool,
    pub created_by: UserId,
}

/// A partial update: `None` leaves a field, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelChange {
    pub label: Option<String>,
    pub protocol: Option<ModelProtocol>,
    pub base_url: Option<String>,
    pub model: Option<String>,
    pub provider_key: Option<Option<ProviderKeyId>>,
    pub context_window: Option<u64>,
    pub max_output_tokens: Option<u64>,
    pub reasoning: Option<bool>,
    pub accepts_images: Option<bool>,
    pub price: Option<Option<Price>>,
    pub enabled: Option<bool>,
    /// `true` takes the place of the default before.
    pub is_default: Option<bool>,
}

/// The configured models of one organization.
#[derive(Debug)]
pub struct Models<'u, M>(Tenant<'u, M>);

impl<S: InOrg, M: Mode> Unit<S, M> {
    pub fn models(&self) -> Models<'_, M> {
        Models(self.tenant())
    }
}

impl<M: Mode> Models<'_, M> {
    pub async fn get(&self, id: ModelId) -> Result<Option<Model>, StoreError> {
        let row = self.0.find::<model::Entity>().filter(model::Column::Id.eq(id.to_string())).one().await?;
        row.map(Model::try_from).transpose()
    }

    /// The organization's default. `None`: it has not chosen one.
    pub async fn default(&self) -> Result<Option<Model>, StoreError> {
        let row = self.0.find::<model::Entity>().filter(model::Column::IsDefault.eq(true)).one().await?;
        row.map(Model::try_from).transpose()
    }

    /// The models that use a key, in no order.
    pub async fn of_key(&self, key: ProviderKeyId) -> Result<Vec<Model>, StoreError> {
        let rows = self.0.find::<model::Entity>().filter(model::Column::ProviderKeyId.eq(key.to_string())).all().await?;
        rows.into_iter().map(Model::try_from).collect()
    }

    /// Newest first.
    pub async fn list(&self, page: Page) -> Result<Paged<Model>, StoreError> {
        let rows = self.0.find::<model::Entity>();
        let rows = rows.order_by(Expr::col(model::Column::CreatedAt), Order::Desc).order_by(Expr::col(model::Column::Id), Order::Desc);
        rows.page(page).await?.try_map(Model::try_from)
    }
}

impl Models<'_, Writing> {
    /// As [`Models::get`], and nobody else changes the model until this write ends.
    pub async fn get_to_change(&self, id: ModelId) -> Result<Option<Model>, StoreError> {
        let row = self.0.find::<model::Entity>().filter(model::Column::Id.eq(id.to_string())).held().one().await?;
        row.map(Model::try_from).transpose()
    }

    /// As [`Models::default`], and nobody else chooses until this write ends.
    pub async fn default_to_change(&self) -> Result<Option<Model>, StoreError> {
        self.hold_choice().await?;
        self.default().await
    }

    /// A key of another organization is found out when the unit commits ([`StoreError::Reference`]); check it before.
    pub async fn create(&self, new: NewModel) -> Result<Model, StoreError> {
        if new.is_default {
            self.clear_default().await?;
        }
        let now = At(self.0.now());
        let row = model::ActiveModel {
            id: Set(ModelId::new(self.0.ids()).to_string()),
            label: Set(new.label),
            protocol: Set(new.protocol.as_str().to_owned()),
            base_url: Set(new.base_url),
            model: Set(new.model),
            provider_key_id: Set(new.provider_key.map(|id| id.to_string())),
            context_window: Set(tokens(new.context_window)?),
            max_output_tokens: Set(tokens(new.max_output_tokens)?),
            reasoning: Set(new.reasoning),
            accepts_images: Set(new.accepts_images),
            price: Set(new.price.as_ref().map(entities::to_json)),
            enabled: Set(new.enabled),
            is_default: Set(new.is_default),
            created_by: Set(Some(new.created_by.to_string())),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        self.0.insert::<model::Entity>(row).await?.try_into()
    }

    /// The model after the change. `None`: no such model.
    pub async fn update(&self, id: ModelId, change: ModelChange) -> Result<Option<Model>, StoreError> {
        use model::Column;
        if change.is_default == Some(true) {
            if self.0.find::<model::Entity>().filter(Column::Id.eq(id.to_string())).one().await?.is_none() {
                return Ok(None);
            }
            self.clear_default().await?;
        }
        let update = self.0.update::<model::Entity>().filter(Column::Id.eq(id.to_string())).set(Column::UpdatedAt, At(self.0.now()));
        let update = update
            .set_some(Column::Label, change.label)
            .set_some(Column::Protocol, change.protocol.map(ModelProtocol::as_str))
            .set_some(Column::BaseUrl, change.base_url)
            .set_some(Column::Model, change.model)
            .set_some(Column::ProviderKeyId, change.provider_key.map(|key| key.map(|id| id.to_string())))
            .set_some(Column::ContextWindow, change.context_window.map(tokens).transpose()?)
            .set_some(Column::MaxOutputTokens, change.max_output_tokens.map(tokens).transpose()?)
            .set_some(Column::Reasoning, change.reasoning)
            .set_some(Column::AcceptsImages, change.accepts_images)
            .set_some(Column::Price, change.price.map(|price| price.as_ref().map(entities::to_json)))
            .set_some(Column::Enabled, change.enabled)
            .set_some(Column::IsDefault, change.is_default);
        update.returning_one().await?.map(Model::try_from).transpose()
    }

    /// `false`: no such model. Runs of agents for which an application names it are refused from then on, never moved to another price.
    pub async fn delete(&self, id: ModelId) -> Result<bool, StoreError> {
        Ok(self.0.delete::<model::Entity>().filter(model::Column::Id.eq(id.to_string())).run().await? == 1)
    }

    /// Makes who chooses a default wait for who is choosing one. A first default has no row yet, so the organization's stands for it.
    async fn hold_choice(&self) -> Result<(), StoreError> {
        self.0.find::<organization::Entity>().held().one().await?;
        Ok(())
    }

    async fn clear_default(&self) -> Result<u64, StoreError> {
        use model::Column;
        self.hold_choice().await?;
        self.0.update::<model::Entity>().filter(Column::IsDefault.eq(true)).set(Column::IsDefault, false).run().await
    }
}

fn tokens(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| StoreError::Corrupt { what: "a number of tokens" })
}

impl TryFrom<model::Model> for Model {
    type Error = StoreError;

    fn try_from(row: model::Model) -> Result<Self, StoreError> {
        const WHAT: &str = "a model";
        let tokens = |count: i64| u64::try_from(count).map_err(|_| StoreError::Corrupt { what: WHAT });
        Ok(Self {
            id: entities::parse(&row.id, WHAT)?,
            label: row.label,
            protocol: ModelProtocol::parse(&row.protocol).ok_or(StoreError::Corrupt { what: WHAT })?,
            base_url: row.base_url,
            model: row.model,
            provider_key: entities::parse_some(row.provider_key_id.as_deref(), WHAT)?,
            context_window: tokens(row.context_window)?,
            max_output_tokens: tokens(row.max_output_tokens)?,
            reasoning: row.reasoning,
            accepts_images: row.accepts_images,
            price: row.price.map(|price| entities::json(&price, WHAT)).transpose()?,
            enabled: row.enabled,
            is_default: row.is_default,
            created_by: entities::parse_some(row.created_by.as_deref(), WHAT)?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
