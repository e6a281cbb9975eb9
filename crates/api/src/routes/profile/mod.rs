//! The signed-in user's profile.

mod get;
mod update;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(route!(get::get_profile)).routes(route!(update::update_profile))
}
