use std::collections::HashMap;

use axum::extract::State;
use domain::AppId;
use wire::api::installation::ApplicationPackage;
use wire::api::list::List;

use super::application;
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, IdPath, Paging, perm};
use crate::problem::Problem;

/// Lists the packages of an application.
#[utoipa::path(
    get,
    path = "/api/applications/{id}/packages",
    operation_id = "listInstalledPackages",
    tag = "Applications",
    description = "The packages that are installed in the application, newest first.",
    params(("id" = AppId, Path, description = "The application."), crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of installed packages.", body = List<ApplicationPackage>))
)]
pub(super) async fn list_installed_packages(
    can: Can<perm::ApplicationsRead>,
    State(app): State<App>,
    IdPath(id): IdPath<AppId>,
    paging: Paging,
) -> Result<Answer, Problem> {
    let scope = application(&app.store, &can, id).await?;
    let read = can.read_in(&scope).await?;
    let page = read.installations().list(None, paging.into()).await?;
    let packages = read.packages().get_many(page.items.iter().map(|installation| &installation.package)).await?;
    let packages: HashMap<_, _> = packages.into_iter().map(|package| (package.name.clone(), package)).collect();
    let pins: Vec<_> = page.items.iter().filter_map(|installation| installation.version).collect();
    let versions: HashMap<_, _> = read.versions().get_many(&pins).await?.into_iter().map(|version| (version.id, version)).collect();
    let page = page.try_map(|installation| {
        let package = packages.get(&installation.package).ok_or_else(Problem::not_found)?;
        let pinned = installation.version.and_then(|id| versions.get(&id));
        Ok::<_, Problem>(convert::installation(id, installation, package, pinned))
    })?;
    Answer::list(page, paging)
}
