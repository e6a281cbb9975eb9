//! API keys of an application.

mod create;
mod list;
mod revoke;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(route!(create::create_api_key)).routes(route!(list::list_api_keys)).routes(route!(revoke::revoke_api_key))
}
