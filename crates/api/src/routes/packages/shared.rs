//! What the kinds of packages have in common.

use connect::catalogue::{self, Archived};
use domain::{Code, PackageName};
use serde_json::{Value, json};
use store::{Audit, OrgScope, PackageFilter, Page, Write};
use wire::api::package::{CreatePackage, Package, PackageSummary, PackageType};

use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::requirement::{AppAccess, OrgAccess, Requirement};
use crate::extract::{Can, Paging};
use crate::problem::{Problem, Violation};
use crate::rules;

/// Versions that a package shows of itself; the newest come first.
const SHOWN_VERSIONS: Page = Page { page: 1, size: 100 };

impl rules::Checked for CreatePackage {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        if !self.manifest.is_object() {
            violations.push(Violation::new("/manifest", "invalid_type", "must be an object"));
        }
        if let Some(content) = &self.content {
            rules::length(&mut violations, "/content", content, 0..=500_000);
        }
        violations
    }
}

fn kind(wanted: PackageType) -> afps::PackageType {
    match wanted {
        PackageType::Agent => afps::PackageType::Agent,
        PackageType::Skill => afps::PackageType::Skill,
        PackageType::Tool => afps::PackageType::Tool,
        PackageType::Provider => afps::PackageType::Provider,
    }
}

/// Publishes a package from a manifest and its text.
pub(super) async fn create<P>(can: &Can<P>, app: &App, wanted: PackageType, body: CreatePackage) -> Result<Answer, Problem>
where
    P: Requirement<Access = OrgAccess>,
{
    if body.manifest.get("type").and_then(Value::as_str) != Some(kind(wanted).as_str()) {
        return Err(Problem::invalid("/manifest/type", "invalid_value", format!("must be \"{}\" on this route", kind(wanted).as_str())));
    }
    let manifest = afps::Manifest::from_value(body.manifest).map_err(|errors| {
        let at =
            |error: &afps::ManifestError| Violation::new(format!("/manifest{}", error.pointer), error.code.clone(), error.message.clone());
        Problem::listing(Code::PackageError, errors.as_slice().iter().map(at).collect())
    })?;
    let files = body.content.map(|content| (afps::package::content_path(kind(wanted)).to_owned(), content.into_bytes()));
    let files = afps::FileSet::collect(files)?;
    let package = afps::Package::new(manifest, files)?;
    publish(can, Archived::store(&app.store, package, None).await?).await
}

/// Publishes the package of an archive.
pub(super) async fn import<P>(can: &Can<P>, app: &App, bytes: Vec<u8>) -> Result<Answer, Problem>
where
    P: Requirement<Access = OrgAccess>,
{
    let read = tokio::task::spawn_blocking(move || afps::read_files(&bytes).map(|files| (files, bytes)));
    let (files, bytes) = read.await.map_err(|error| Problem::internal(&error))??;
    let archived = if files.is_bare_skill() {
        let organization = can.read_org().await?.organization().get().await?.ok_or_else(Problem::not_found)?;
        let package = afps::Package::from_bare_skill(&organization.slug, &afps::Version::new(1, 0, 0), files)?;
        Archived::store(&app.store, package, None).await?
    } else {
        Archived::store(&app.store, afps::Package::from_file_set(files)?, Some(bytes)).await?
    };
    publish(can, archived).await
}

async fn publish<P>(can: &Can<P>, archived: Archived) -> Result<Answer, Problem>
where
    P: Requirement<Access = OrgAccess>,
{
    let write = can.write_org().await?;
    catalogue::publish(&write, &archived, can.user).await?;
    let manifest = archived.package.manifest();
    write.audit(Audit::detail(json!({ "type": manifest.package_type().as_str(), "version": manifest.version().to_string() })));
    let name = manifest.name().clone();
    let package = in_write(&write, &name).await?;
    let location = format!("/api/packages/{}s/{name}", manifest.package_type().as_str());
    Answer::created(write, &package, location).await
}

/// A page of one kind of packages.
pub(super) async fn list<P>(can: &Can<P>, wanted: PackageType, paging: Paging) -> Result<Answer, Problem>
where
    P: Requirement<Access = AppAccess>,
{
    let read = can.read().await?;
    let page = read.packages().list(PackageFilter { package_type: Some(kind(wanted)), is_system: None }, paging.into()).await?;
    let ids: Vec<_> = page.items.iter().filter_map(|package| package.latest_version).collect();
    let versions = read.versions().get_many(&ids).await?;
    let total = page.total;
    let items: Vec<PackageSummary> = page
        .items
        .into_iter()
        .filter_map(|package| {
            let latest = versions.iter().find(|version| Some(version.id) == package.latest_version)?;
            Some(convert::package_summary(package, latest))
        })
        .collect();
    Answer::list(store::Paged { items, total }, paging)
}

/// One package with its versions.
pub(super) async fn get<P>(can: &Can<P>, wanted: PackageType, name: &PackageName) -> Result<Answer, Problem>
where
    P: Requirement<Access = AppAccess>,
{
    let read = can.read().await?;
    let package = read.packages().get(name).await?.filter(|package| package.package_type == kind(wanted)).ok_or_else(Problem::not_found)?;
    let latest = match package.latest_version {
        Some(id) => read.versions().get(id).await?,
        None => None,
    };
    let latest = latest.ok_or_else(Problem::not_found)?;
    let versions = read.versions().list(name, SHOWN_VERSIONS).await?.items;
    Answer::object(&convert::package(package, &latest, versions)?)
}

async fn in_write(write: &Write<OrgScope>, name: &PackageName) -> Result<Package, Problem> {
    let package = write.packages().get(name).await?.ok_or_else(Problem::not_found)?;
    let versions = write.versions().list(name, SHOWN_VERSIONS).await?.items;
    let latest = versions.iter().find(|version| Some(version.id) == package.latest_version).cloned().ok_or_else(Problem::not_found)?;
    convert::package(package, &latest, versions)
}
