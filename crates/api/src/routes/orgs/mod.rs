//! Organizations.

mod create;
mod get;
mod list;

pub(crate) use list::page_of;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(create::create_organization))
        .routes(route!(list::list_organizations))
        .routes(route!(get::get_organization))
}
