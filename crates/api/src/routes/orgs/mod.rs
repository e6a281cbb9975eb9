//! Organizations.

mod create;
mod delete;
mod get;
mod get_settings;
mod list;
mod update;
mod update_settings;

use domain::OrgId;
pub(crate) use list::page_of;
use store::Organization;
use utoipa_axum::router::OpenApiRouter;
use wire::api::organization::{OrganizationSettings, OrganizationSettingsObject};

use crate::app::App;
use crate::extract::requirement::OrgAccess;
use crate::problem::Problem;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(create::create_organization))
        .routes(route!(list::list_organizations))
        .routes(route!(get::get_organization))
        .routes(route!(update::update_organization))
        .routes(route!(delete::delete_organization))
        .routes(route!(get_settings::get_organization_settings))
        .routes(route!(update_settings::update_organization_settings))
}

/// Refuses another organization than the caller's, exactly as one that does not exist.
pub(crate) fn own(access: &OrgAccess, id: OrgId) -> Result<(), Problem> {
    if id == access.org() { Ok(()) } else { Err(Problem::not_found()) }
}

fn settings_of(organization: &Organization) -> OrganizationSettings {
    OrganizationSettings {
        object: OrganizationSettingsObject::OrganizationSettings,
        api_version: organization.pinned_version().map(ToOwned::to_owned),
    }
}
