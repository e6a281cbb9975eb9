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
    let total = page.total;
    let mut items = Vec::with_capacity(page.items.len());
    for installation in page.items {
        let package = read.packages().get(&installation.package).await?.ok_or_else(Problem::not_found)?;
        let pinned = match installation.version {
            Some(id) => read.versions().get(id).await?,
            None => None,
        };
        items.push(convert::installation(id, installation, &package, pinned.as_ref()));
    }
    Answer::list(store::Paged { items, total }, paging)
}
