use axum::extract::State;
use domain::{AppId, Code};

use super::application;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{AgentPath, Can, IdPath, perm};
use crate::problem::Problem;

/// Uninstalls a package.
#[utoipa::path(
    delete,
    path = "/api/applications/{id}/packages/{scope}/{name}",
    operation_id = "uninstallPackage",
    tag = "Applications",
    description = "The application no longer uses the package. Runs that are going on end as they would; runs and memories stay.",
    params(
        ("id" = AppId, Path, description = "The application."),
        ("scope" = String, Path, description = "The package's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The package's name.", example = "refund-triage")
    ),
    responses((status = 204, description = "The package is uninstalled."))
)]
pub(super) async fn uninstall_package(
    can: Can<perm::ApplicationsWrite>,
    State(app): State<App>,
    IdPath(id): IdPath<AppId>,
    AgentPath(name): AgentPath,
) -> Result<Answer, Problem> {
    let scope = application(&app.store, &can, id).await?;
    let write = can.write_in(&scope).await?;
    if !write.installations().delete(&name).await? {
        return Err(Problem::new(Code::PackageNotInstalled, "The package is not installed in this application."));
    }
    Answer::deleted(write).await
}
