//! API keys of an application.

mod available_scopes;
mod create;
mod get;
mod list;
mod revoke;
mod update;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(create::create_api_key))
        .routes(route!(list::list_api_keys))
        .routes(route!(available_scopes::list_available_scopes))
        .routes(route!(get::get_api_key))
        .routes(route!(update::update_api_key))
        .routes(route!(revoke::revoke_api_key))
}
