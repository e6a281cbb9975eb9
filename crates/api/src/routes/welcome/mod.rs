//! A user's first steps.

mod setup;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(route!(setup::set_up_profile))
}
