//! Packages in use by an application: `/api/applications/{id}/packages`.

mod configure;
mod get;
mod install;
mod list;
mod uninstall;

use domain::AppId;
use serde_json::{Map, Value};
use store::{AppScope, InOrg, Installation, Mode, PackageVersion, Store, Unit};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::extract::requirement::OrgAccess;
use crate::problem::{Problem, Violation};
use crate::route;
use crate::routes::applications::within_reach;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(install::install_package))
        .routes(route!(list::list_installed_packages))
        .routes(route!(get::get_installed_package))
        .routes(route!(configure::configure_package))
        .routes(route!(uninstall::uninstall_package))
}

/// The scope of the application in the path. A foreign one is not found.
async fn application(store: &Store, access: &OrgAccess, id: AppId) -> Result<AppScope, Problem> {
    within_reach(access, id)?;
    if let Some(scope) = access.app.filter(|scope| scope.app() == id) {
        return Ok(scope);
    }
    let login = access.session.as_deref().ok_or_else(Problem::not_found)?;
    store.system().application_scope(&access.scope, id, login).await?.ok_or_else(Problem::not_found)
}

/// The version that runs when none is named: the pinned one, else the latest.
async fn version_in_use<S: InOrg, M: Mode>(unit: &Unit<S, M>, installation: &Installation) -> Result<PackageVersion, Problem> {
    let package = unit.packages().get(&installation.package).await?.ok_or_else(Problem::not_found)?;
    let id = installation.version.or(package.latest_version).ok_or_else(Problem::not_found)?;
    unit.versions().get(id).await?.ok_or_else(Problem::not_found)
}

/// Checks a configuration against the schema of the version in use, with JSON Pointers below `/config`.
fn check_config(version: &PackageVersion, config: &Map<String, Value>) -> Result<(), Problem> {
    let manifest = afps::Manifest::parse(version.manifest.as_bytes()).map_err(|error| Problem::internal(&error))?;
    let Some(agent) = manifest.agent() else {
        return if config.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid("/config", "unknown_field", "only agents have a configuration"))
        };
    };
    let violations = runs::preflight::check_config(agent, config);
    if violations.is_empty() {
        return Ok(());
    }
    Err(Problem::validation(
        violations.into_iter().map(|violation| Violation::new(violation.pointer, violation.code, violation.message)).collect(),
    ))
}
