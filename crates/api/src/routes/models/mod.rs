//! Language models of an organization.

mod create;
mod delete;
mod list;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(route!(create::create_model)).routes(route!(list::list_models)).routes(route!(delete::delete_model))
}
