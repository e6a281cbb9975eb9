//! Outbound proxies that an organization has stored, and its choice among them and those of the environment, which are not rows.
//!
//! What is stored of an address is sealed; crate `connect` seals and opens.

use domain::{ProxyChoice, ProxyId, ProxyRef, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Order};

use crate::entities::{self, At, organization, proxy, proxy_default, proxy_use};
use crate::scope::InOrg;
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// A stored proxy, without its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    pub id: ProxyId,
    pub label: String,
    /// Its address without the password.
    pub shown: String,
    pub enabled: bool,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A proxy to store. The caller makes the id first, because the seal is bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProxy {
    pub id: ProxyId,
    pub label: String,
    pub shown: String,
    pub sealed: Vec<u8>,
    pub created_by: UserId,
}

/// A partial update; `None` leaves a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyChange {
    pub label: Option<String>,
    pub address: Option<ProxyAddress>,
    pub enabled: Option<bool>,
}

/// Another address: the sealed one and what is shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyAddress {
    pub shown: String,
    pub sealed: Vec<u8>,
}

/// The stored proxies of one organization.
#[derive(Debug)]
pub struct Proxies<'u, M>(Tenant<'u, M>);

impl<S: InOrg, M: Mode> Unit<S, M> {
    pub fn proxies(&self) -> Proxies<'_, M> {
        Proxies(self.tenant())
    }
}

impl<M: Mode> Proxies<'_, M> {
    pub async fn get(&self, id: ProxyId) -> Result<Option<Proxy>, StoreError> {
        self.row(id).await?.map(Proxy::try_from).transpose()
    }

    /// The sealed address.
    pub async fn sealed(&self, id: ProxyId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.row(id).await?.map(|row| row.sealed))
    }

    /// Newest first.
    pub async fn list(&self, page: Page) -> Result<Paged<Proxy>, StoreError> {
        use proxy::Column;
        let rows = self.0.find::<proxy::Entity>();
        let rows = rows.order_by(Expr::col(Column::CreatedAt), Order::Desc).order_by(Expr::col(Column::Id), Order::Desc);
        rows.page(page).await?.try_map(Proxy::try_from)
    }

    /// What the organization has chosen for runs that choose nothing. `None`: it leaves that to the environment.
    pub async fn default(&self) -> Result<Option<ProxyChoice>, StoreError> {
        let row = self.0.find::<proxy_default::Entity>().one().await?;
        row.map(|row| entities::parse(&row.choice, "the default proxy")).transpose()
    }

    async fn row(&self, id: ProxyId) -> Result<Option<proxy::Model>, StoreError> {
        self.0.find::<proxy::Entity>().filter(proxy::Column::Id.eq(id.to_string())).one().await
    }
}

impl Proxies<'_, Writing> {
    pub async fn create(&self, new: NewProxy) -> Result<Proxy, StoreError> {
        let now = At(self.0.now());
        let row = proxy::ActiveModel {
            id: Set(new.id.to_string()),
            label: Set(new.label),
            shown: Set(new.shown),
            sealed: Set(new.sealed),
            enabled: Set(true),
            created_by: Set(Some(new.created_by.to_string())),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        self.0.insert::<proxy::Entity>(row).await?.try_into()
    }

    /// The proxy after the change. `None`: no such proxy.
    pub async fn update(&self, id: ProxyId, change: ProxyChange) -> Result<Option<Proxy>, StoreError> {
        use proxy::Column;
        let (shown, sealed) = change.address.map(|ProxyAddress { shown, sealed }| (shown, sealed)).unzip();
        let update = self.0.update::<proxy::Entity>().filter(Column::Id.eq(id.to_string())).set(Column::UpdatedAt, At(self.0.now()));
        let update = update
            .set_some(Column::Label, change.label)
            .set_some(Column::Shown, shown)
            .set_some(Column::Sealed, sealed)
            .set_some(Column::Enabled, change.enabled);
        update.returning_one().await?.map(Proxy::try_from).transpose()
    }

    /// Chooses for runs that choose nothing; `None` leaves that to the environment again.
    ///
    /// A proxy of another organization is found out when the unit commits ([`StoreError::Reference`]); check it before.
    pub async fn set_default(&self, choice: Option<&ProxyChoice>) -> Result<(), StoreError> {
        // Who chooses at the same time waits here: a choice that is not there yet has no row to wait on.
        self.0.find::<organization::Entity>().held().one().await?;
        self.0.delete::<proxy_default::Entity>().run().await?;
        let Some(choice) = choice else { return Ok(()) };
        let row = proxy_default::ActiveModel {
            choice: Set(choice.to_string()),
            proxy_id: Set(own(choice).map(|id| id.to_string())),
            ..Default::default()
        };
        self.0.append::<proxy_default::Entity>(row).await
    }

    /// `false`: no such proxy.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while it is the default or an installation names it. A choice that commits at the same time is found out
    /// when the unit commits ([`StoreError::Reference`]).
    pub async fn delete(&self, id: ProxyId) -> Result<bool, StoreError> {
        let text = id.to_string();
        let default = self.0.find::<proxy_default::Entity>().filter(proxy_default::Column::ProxyId.eq(text.as_str())).one().await?;
        let user = self.0.find::<proxy_use::Entity>().filter(proxy_use::Column::ProxyId.eq(text.as_str())).limit(1).one().await?;
        if default.is_some() || user.is_some() {
            return Err(StoreError::InUse);
        }
        Ok(self.0.delete::<proxy::Entity>().filter(proxy::Column::Id.eq(text)).run().await? == 1)
    }
}

/// The row that a choice names, if it names one.
pub(super) fn own(choice: &ProxyChoice) -> Option<ProxyId> {
    match choice.proxy() {
        Some(ProxyRef::Own(id)) => Some(*id),
        Some(ProxyRef::BuiltIn(_)) | None => None,
    }
}

impl TryFrom<proxy::Model> for Proxy {
    type Error = StoreError;

    fn try_from(row: proxy::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: entities::parse(&row.id, "a proxy")?,
            label: row.label,
            shown: row.shown,
            enabled: row.enabled,
            created_by: entities::parse_some(row.created_by.as_deref(), "a proxy's creator")?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
