//! Applications.

mod create;
mod delete;
mod get;
mod list;
mod settings;
mod update;

use domain::AppId;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::extract::requirement::OrgAccess;
use crate::problem::Problem;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(list::list_applications))
        .routes(route!(create::create_application))
        .routes(route!(get::get_application))
        .routes(route!(update::update_application))
        .routes(route!(delete::delete_application))
}

/// Refuses an application that the caller's key does not reach, exactly as one that does not exist.
pub(super) fn within_reach(access: &OrgAccess, id: AppId) -> Result<(), Problem> {
    match access.only_app {
        Some(only) if only != id => Err(Problem::not_found()),
        _ => Ok(()),
    }
}
