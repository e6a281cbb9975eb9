//! Published versions of packages. A version is never changed; that versions only go forward is the caller's rule.

use afps::{Integrity, Lockfile, Version};
use domain::{PackageName, Timestamp, UserId, VersionId};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, Order, QueryFilter as _};

use super::packages::{SYSTEM, find};
use crate::entities::{self, At, package, package_version};
use crate::scope::{InOrg, SystemScope};
use crate::scoped::Tenant;
use crate::unit::{Mode, Unit, Writing};
use crate::{BlobKey, Page, Paged, StoreError};

/// A published version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageVersion {
    pub id: VersionId,
    pub package: PackageName,
    pub version: Version,
    /// Of the archive.
    pub integrity: Integrity,
    /// Of the archive.
    pub size_bytes: u64,
    /// The manifest, as it was published.
    pub manifest: String,
    /// The prompt of an agent, the text of a skill.
    pub content: Option<String>,
    /// Where the archive is.
    pub blob: BlobKey,
    pub lockfile: Lockfile,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
}

/// A version to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPackageVersion {
    pub package: PackageName,
    pub version: Version,
    pub integrity: Integrity,
    pub size_bytes: u64,
    pub manifest: String,
    pub content: Option<String>,
    pub blob: BlobKey,
    pub lockfile: Lockfile,
    pub created_by: Option<UserId>,
}

/// The versions of the packages that an organization sees.
#[derive(Debug)]
pub struct Versions<'u, M>(Tenant<'u, M>);

impl<S: InOrg, M: Mode> Unit<S, M> {
    pub fn versions(&self) -> Versions<'_, M> {
        Versions(self.tenant())
    }
}

impl<M: Mode> Versions<'_, M> {
    pub async fn get(&self, id: VersionId) -> Result<Option<PackageVersion>, StoreError> {
        let row = self.0.find::<package_version::Entity>().filter(package_version::Column::Id.eq(id.to_string())).one().await?;
        row.map(PackageVersion::try_from).transpose()
    }

    /// Several at once, in no order; ids that the scope does not see are left out.
    pub async fn get_many(&self, ids: &[VersionId]) -> Result<Vec<PackageVersion>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.iter().map(ToString::to_string);
        let rows = self.0.find::<package_version::Entity>().filter(package_version::Column::Id.is_in(ids)).all().await?;
        rows.into_iter().map(PackageVersion::try_from).collect()
    }

    pub async fn find(&self, package: &PackageName, version: &Version) -> Result<Option<PackageVersion>, StoreError> {
        let rows = self.0.find::<package_version::Entity>().filter(package_version::Column::Package.eq(package.as_str()));
        let row = rows.filter(package_version::Column::Version.eq(version.to_string())).one().await?;
        row.map(PackageVersion::try_from).transpose()
    }

    /// Every version of a package, newest first; for resolving ranges.
    pub async fn all_of(&self, package: &PackageName) -> Result<Vec<PackageVersion>, StoreError> {
        use package_version::Column;
        let rows = self.0.find::<package_version::Entity>().filter(Column::Package.eq(package.as_str()));
        let rows = rows.order_by(Expr::col(Column::CreatedAt), Order::Desc).order_by(Expr::col(Column::Id), Order::Desc);
        rows.all().await?.into_iter().map(PackageVersion::try_from).collect()
    }

    /// Newest first.
    pub async fn list(&self, package: &PackageName, page: Page) -> Result<Paged<PackageVersion>, StoreError> {
        use package_version::Column;
        let rows = self.0.find::<package_version::Entity>().filter(Column::Package.eq(package.as_str()));
        let rows = rows.order_by(Expr::col(Column::CreatedAt), Order::Desc).order_by(Expr::col(Column::Id), Order::Desc);
        rows.page(page).await?.try_map(PackageVersion::try_from)
    }
}

impl Versions<'_, Writing> {
    /// Publishes a version of one of the organization's own packages and makes it the latest. Put the archive's blob first.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on [`crate::constraint::PACKAGE_VERSION`]; [`StoreError::OutOfReach`] when the package is not the
    /// organization's own.
    pub async fn publish(&self, new: NewPackageVersion) -> Result<PackageVersion, StoreError> {
        let owner = self.0.bounds.org.to_string();
        let found = find(&self.0, &new.package).await?;
        if found.is_none_or(|package| package.owner != owner) {
            return Err(StoreError::OutOfReach);
        }
        let (id, now) = (VersionId::new(self.0.ids()), At(self.0.now()));
        let package = new.package.to_string();
        let stored = self.0.insert::<package_version::Entity>(row(id, new, &owner, now)?).await?;
        let latest = self.0.update::<package::Entity>().filter(package::Column::Name.eq(package));
        latest.set(package::Column::LatestVersionId, id.to_string()).set(package::Column::UpdatedAt, now).run().await?;
        stored.try_into()
    }
}

impl Unit<SystemScope, Writing> {
    /// Publishes a version of one of the platform's own packages and makes it the latest.
    ///
    /// # Errors
    /// As [`Versions::publish`].
    pub async fn publish_system_version(&self, new: NewPackageVersion) -> Result<PackageVersion, StoreError> {
        let found = package::Entity::find_by_id(new.package.as_str()).one(&self.transaction).await?;
        if found.is_none_or(|package| package.owner != SYSTEM) {
            return Err(StoreError::OutOfReach);
        }
        let (id, now) = (VersionId::new(&*self.store.ids), At(self.store.clock.now()));
        let package = new.package.to_string();
        let stored = package_version::Entity::insert(row(id, new, SYSTEM, now)?).exec_with_returning(&self.transaction).await?;
        package::Entity::update_many()
            .filter(package::Column::Name.eq(package))
            .col_expr(package::Column::LatestVersionId, Expr::val(id.to_string()))
            .col_expr(package::Column::UpdatedAt, Expr::val(now))
            .exec(&self.transaction)
            .await?;
        stored.try_into()
    }

    /// A version of one of the platform's own packages. `None`: not published.
    pub async fn system_version(&self, package: &PackageName, version: &Version) -> Result<Option<PackageVersion>, StoreError> {
        let found = package_version::Entity::find()
            .filter(package_version::Column::Package.eq(package.as_str()))
            .filter(package_version::Column::Version.eq(version.to_string()))
            .filter(package_version::Column::OrgId.is_null())
            .one(&self.transaction)
            .await?;
        found.map(PackageVersion::try_from).transpose()
    }
}

/// The row, without its organization.
fn row(id: VersionId, new: NewPackageVersion, owner: &str, now: At) -> Result<package_version::ActiveModel, StoreError> {
    Ok(package_version::ActiveModel {
        id: Set(id.to_string()),
        owner: Set(owner.to_owned()),
        package: Set(new.package.to_string()),
        version: Set(new.version.to_string()),
        integrity: Set(new.integrity.to_string()),
        size_bytes: Set(i64::try_from(new.size_bytes).map_err(|_| StoreError::Corrupt { what: "the size of an archive" })?),
        manifest: Set(new.manifest),
        content: Set(new.content),
        blob: Set(new.blob.to_string()),
        lockfile: Set(entities::to_json(&new.lockfile)),
        created_by: Set(new.created_by.map(|id| id.to_string())),
        created_at: Set(now),
        ..Default::default()
    })
}

impl TryFrom<package_version::Model> for PackageVersion {
    type Error = StoreError;

    fn try_from(row: package_version::Model) -> Result<Self, StoreError> {
        const WHAT: &str = "a package's version";
        Ok(Self {
            id: entities::parse(&row.id, WHAT)?,
            package: entities::parse(&row.package, WHAT)?,
            version: entities::parse(&row.version, WHAT)?,
            integrity: entities::parse(&row.integrity, WHAT)?,
            size_bytes: u64::try_from(row.size_bytes).map_err(|_| StoreError::Corrupt { what: WHAT })?,
            manifest: row.manifest,
            content: row.content,
            blob: entities::parse(&row.blob, WHAT)?,
            lockfile: entities::json(&row.lockfile, WHAT)?,
            created_by: entities::parse_some(row.created_by.as_deref(), WHAT)?,
            created_at: row.created_at.0,
        })
    }
}
