//! Packages: the organization's own, and those of the platform, which every organization reads.

use afps::PackageType;
use domain::{OrgId, PackageName, Timestamp, UserId, VersionId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, Order};

use crate::entities::{self, At, package};
use crate::scope::{InOrg, SystemScope};
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{Page, Paged, StoreError};

/// The `owner` of the platform's own packages.
pub(super) const SYSTEM: &str = "system";

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Unique on the platform.
    pub name: PackageName,
    /// `None`: the platform's own.
    pub org: Option<OrgId>,
    pub package_type: PackageType,
    /// The version published last; `None`: none yet.
    pub latest_version: Option<VersionId>,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A package to create, still without a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPackage {
    pub name: PackageName,
    pub package_type: PackageType,
    /// `None`: made by the platform.
    pub created_by: Option<UserId>,
}

/// Which packages a list holds; `None` does not narrow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackageFilter {
    pub package_type: Option<PackageType>,
    /// `true`: only the platform's own; `false`: only the organization's.
    pub is_system: Option<bool>,
}

/// The packages that an organization sees.
#[derive(Debug)]
pub struct Packages<'u, M>(Tenant<'u, M>);

impl<S: InOrg, M: Mode> Unit<S, M> {
    pub fn packages(&self) -> Packages<'_, M> {
        Packages(self.tenant())
    }
}

impl<M: Mode> Packages<'_, M> {
    /// `None`: neither the organization's nor the platform's.
    pub async fn get(&self, name: &PackageName) -> Result<Option<Package>, StoreError> {
        find(&self.0, name).await?.map(Package::try_from).transpose()
    }

    /// Several at once, in no order; names that the scope does not see are left out.
    pub async fn get_many(&self, names: impl IntoIterator<Item = &PackageName>) -> Result<Vec<Package>, StoreError> {
        let names: Vec<_> = names.into_iter().map(PackageName::as_str).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.0.find::<package::Entity>().filter(package::Column::Name.is_in(names)).all().await?;
        rows.into_iter().map(Package::try_from).collect()
    }

    /// Newest first.
    pub async fn list(&self, filter: PackageFilter, page: Page) -> Result<Paged<Package>, StoreError> {
        use package::Column;
        let mut rows = self.0.find::<package::Entity>();
        if let Some(package_type) = filter.package_type {
            rows = rows.filter(Column::PackageType.eq(package_type.as_str()));
        }
        rows = match filter.is_system {
            Some(true) => rows.filter(Column::OrgId.is_null()),
            Some(false) => rows.filter(Column::OrgId.is_not_null()),
            None => rows,
        };
        let rows = rows.order_by(Expr::col(Column::CreatedAt), Order::Desc).order_by(Expr::col(Column::Name), Order::Desc);
        rows.page(page).await?.try_map(Package::try_from)
    }
}

impl Packages<'_, Writing> {
    /// Creates a package of the organization.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::PACKAGE_NAME`], also when the name is another organization's.
    pub async fn create(&self, new: NewPackage) -> Result<Package, StoreError> {
        let row = row(&new, &self.0.bounds.org.to_string(), At(self.0.now()));
        self.0.insert::<package::Entity>(row).await?.try_into()
    }
}

impl Unit<SystemScope, Writing> {
    /// Creates a package of the platform, or gives the one that there is.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is an organization's.
    pub async fn ensure_system_package(&self, new: NewPackage) -> Result<Package, StoreError> {
        if let Some(found) = package::Entity::find_by_id(new.name.as_str()).one(&self.transaction).await? {
            return match found.org_id {
                None => found.try_into(),
                Some(_) => Err(StoreError::Conflict { constraint: crate::constraint::PACKAGE_NAME.to_owned() }),
            };
        }
        let row = row(&new, SYSTEM, At(self.store.clock.now()));
        package::Entity::insert(row).exec_with_returning(&self.transaction).await?.try_into()
    }
}

/// The row, without its organization.
fn row(new: &NewPackage, owner: &str, now: At) -> package::ActiveModel {
    package::ActiveModel {
        name: Set(new.name.to_string()),
        owner: Set(owner.to_owned()),
        package_type: Set(new.package_type.as_str().to_owned()),
        created_by: Set(new.created_by.map(|id| id.to_string())),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
}

pub(crate) async fn find<M>(tenant: &Tenant<'_, M>, name: &PackageName) -> Result<Option<package::Model>, StoreError> {
    tenant.find::<package::Entity>().filter(package::Column::Name.eq(name.as_str())).one().await
}

impl TryFrom<package::Model> for Package {
    type Error = StoreError;

    fn try_from(row: package::Model) -> Result<Self, StoreError> {
        Ok(Self {
            name: entities::parse(&row.name, "a package's name")?,
            org: entities::parse_some(row.org_id.as_deref(), "a package's organization")?,
            package_type: entities::parse(&row.package_type, "a package's type")?,
            latest_version: entities::parse_some(row.latest_version_id.as_deref(), "a package's latest version")?,
            created_by: entities::parse_some(row.created_by.as_deref(), "a package's creator")?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}
