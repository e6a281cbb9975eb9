//! Keys of model vendors. They go in and never come out.

mod create;
mod delete;
mod list;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(create::create_provider_key))
        .routes(route!(list::list_provider_keys))
        .routes(route!(delete::delete_provider_key))
}
