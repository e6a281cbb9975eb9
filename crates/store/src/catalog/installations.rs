//! Packages in use by an application, and how: pinned version, configuration, model, proxy.

use afps::PackageType;
use domain::{PackageName, ProxyChoice, ProxyId, Timestamp, VersionId};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Order};
use serde_json::{Map, Value};

use super::{packages, proxies};
use crate::entities::{self, At, installation, package, proxy_use};
use crate::scope::AppScope;
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// A package in use by an application.
#[derive(Clone, Debug, PartialEq)]
pub struct Installation {
    pub package: PackageName,
    /// The pinned version. `None`: the latest.
    pub version: Option<VersionId>,
    pub config: Map<String, Value>,
    /// A [`domain::ModelId`], or the name of a model of the environment. `None`: the default one. Look it up when it is used.
    pub model: Option<String>,
    /// `None`: the default one. Look it up when it is used.
    pub proxy: Option<ProxyChoice>,
    pub enabled: bool,
    pub installed_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A package to install.
#[derive(Clone, Debug, PartialEq)]
pub struct NewInstallation {
    pub package: PackageName,
    pub version: Option<VersionId>,
    pub config: Map<String, Value>,
    pub model: Option<String>,
    pub enabled: bool,
}

impl NewInstallation {
    /// The latest version, enabled, with the default model and no configuration.
    pub fn of(package: PackageName) -> Self {
        Self { package, version: None, config: Map::new(), model: None, enabled: true }
    }
}

/// A partial update: `None` leaves a field, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstallationChange {
    pub version: Option<Option<VersionId>>,
    pub config: Option<Map<String, Value>>,
    pub model: Option<Option<String>>,
    pub proxy: Option<Option<ProxyChoice>>,
    pub enabled: Option<bool>,
}

/// The installed packages of one application.
#[derive(Debug)]
pub struct Installations<'u, M>(Tenant<'u, M>);

impl<M: Mode> Unit<AppScope, M> {
    pub fn installations(&self) -> Installations<'_, M> {
        Installations(self.tenant())
    }
}

impl<M: Mode> Installations<'_, M> {
    /// `None`: not installed.
    pub async fn get(&self, package: &PackageName) -> Result<Option<Installation>, StoreError> {
        let row = self.0.find::<installation::Entity>().filter(installation::Column::Package.eq(package.as_str())).one().await?;
        row.map(Installation::try_from).transpose()
    }

    /// Newest first; only packages of one type, if it is given.
    pub async fn list(&self, package_type: Option<PackageType>, page: Page) -> Result<Paged<Installation>, StoreError> {
        use installation::Column;
        let mut rows = self.0.find::<installation::Entity>();
        if let Some(package_type) = package_type {
            let of_type = Query::select()
                .column(package::Column::Name)
                .from(package::Entity)
                .and_where(package::Column::PackageType.eq(package_type.as_str()))
                .to_owned();
            rows = rows.filter(Column::Package.in_subquery(of_type));
        }
        let rows = rows.order_by(Expr::col(Column::InstalledAt), Order::Desc).order_by(Expr::col(Column::Package), Order::Desc);
        rows.page(page).await?.try_map(Installation::try_from)
    }
}

impl Installations<'_, Writing> {
    /// Installs a package that the organization sees. `None`: there is none of this name.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::INSTALLATION`]. A version of another package is found out when the unit
    /// commits ([`StoreError::Reference`]); check it before.
    pub async fn create(&self, new: NewInstallation) -> Result<Option<Installation>, StoreError> {
        let Some(package) = packages::find(&self.0, &new.package).await? else {
            return Ok(None);
        };
        let now = At(self.0.now());
        let row = installation::ActiveModel {
            package: Set(new.package.to_string()),
            package_owner: Set(package.owner),
            version_id: Set(new.version.map(|id| id.to_string())),
            config: Set(entities::to_json(&new.config)),
            model_id: Set(new.model),
            proxy_id: Set(None),
            enabled: Set(new.enabled),
            installed_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        Ok(Some(self.0.insert::<installation::Entity>(row).await?.try_into()?))
    }

    /// The installation after the change. `None`: not installed.
    ///
    /// A proxy of another organization is found out when the unit commits ([`StoreError::Reference`]); check it before.
    pub async fn update(&self, package: &PackageName, change: InstallationChange) -> Result<Option<Installation>, StoreError> {
        use installation::Column;
        let update = self.0.update::<installation::Entity>().filter(Column::Package.eq(package.as_str()));
        let update = update
            .set(Column::UpdatedAt, At(self.0.now()))
            .set_some(Column::VersionId, change.version.map(|version| version.map(|id| id.to_string())))
            .set_some(Column::Config, change.config.as_ref().map(entities::to_json))
            .set_some(Column::ModelId, change.model)
            .set_some(Column::ProxyId, change.proxy.as_ref().map(|proxy| proxy.as_ref().map(ToString::to_string)))
            .set_some(Column::Enabled, change.enabled);
        let Some(row) = update.returning_one().await? else { return Ok(None) };
        if let Some(proxy) = change.proxy {
            self.hold(&row, proxy.as_ref().and_then(proxies::own)).await?;
        }
        Installation::try_from(row).map(Some)
    }

    /// Keeps the proxy that the installation names from being deleted.
    async fn hold(&self, row: &installation::Model, proxy: Option<ProxyId>) -> Result<(), StoreError> {
        use proxy_use::Column;
        let before = self.0.delete::<proxy_use::Entity>();
        before.filter(Column::AppId.eq(row.app_id.as_str())).filter(Column::Package.eq(row.package.as_str())).run().await?;
        let Some(proxy) = proxy else { return Ok(()) };
        let held = proxy_use::ActiveModel {
            app_id: Set(row.app_id.clone()),
            package: Set(row.package.clone()),
            proxy_id: Set(proxy.to_string()),
            ..Default::default()
        };
        self.0.append::<proxy_use::Entity>(held).await
    }

    /// `false`: not installed.
    pub async fn delete(&self, package: &PackageName) -> Result<bool, StoreError> {
        Ok(self.0.delete::<installation::Entity>().filter(installation::Column::Package.eq(package.as_str())).run().await? == 1)
    }
}

impl TryFrom<installation::Model> for Installation {
    type Error = StoreError;

    fn try_from(row: installation::Model) -> Result<Self, StoreError> {
        Ok(Self {
            package: entities::parse(&row.package, "an installed package")?,
            version: entities::parse_some(row.version_id.as_deref(), "an installed version")?,
            config: entities::json(&row.config, "an installation's configuration")?,
            model: row.model_id,
            proxy: entities::parse_some(row.proxy_id.as_deref(), "an installation's proxy")?,
            enabled: row.enabled,
            installed_at: row.installed_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
