//! Packages of the catalogue: the platform's own and the organization's. One small file for each kind names its permissions.

mod agents;
mod import;
mod providers;
mod shared;
mod skills;
mod tools;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(agents::create_agent))
        .routes(route!(agents::list_agent_packages))
        .routes(route!(agents::get_agent_package))
        .routes(route!(providers::create_provider))
        .routes(route!(providers::list_provider_packages))
        .routes(route!(providers::get_provider_package))
        .routes(route!(tools::list_tool_packages))
        .routes(route!(tools::get_tool_package))
        .routes(route!(skills::list_skill_packages))
        .routes(route!(skills::get_skill_package))
        .routes(route!(import::import_package))
}
