use axum::extract::State;
use domain::{AppId, Code};
use wire::api::installation::ApplicationPackage;

use super::application;
use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{AgentPath, Can, IdPath, perm};
use crate::problem::Problem;

/// Reads an installed package.
#[utoipa::path(
    get,
    path = "/api/applications/{id}/packages/{scope}/{name}",
    operation_id = "getInstalledPackage",
    tag = "Applications",
    description = "How the application uses the package: pinned version, configuration, model, proxy.",
    params(
        ("id" = AppId, Path, description = "The application."),
        ("scope" = String, Path, description = "The package's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The package's name.", example = "refund-triage")
    ),
    responses((status = 200, description = "The installed package.", body = ApplicationPackage))
)]
pub(super) async fn get_installed_package(
    can: Can<perm::ApplicationsRead>,
    State(app): State<App>,
    IdPath(id): IdPath<AppId>,
    AgentPath(name): AgentPath,
) -> Result<Answer, Problem> {
    let scope = application(&app.store, &can, id).await?;
    let read = can.read_in(&scope).await?;
    let not_installed = || Problem::new(Code::PackageNotInstalled, "The package is not installed in this application.");
    let installation = read.installations().get(&name).await?.ok_or_else(not_installed)?;
    let package = read.packages().get(&name).await?.ok_or_else(not_installed)?;
    let pinned = match installation.version {
        Some(id) => read.versions().get(id).await?,
        None => None,
    };
    Answer::object(&convert::installation(id, installation, &package, pinned.as_ref()))
}
