//! The signed-in user, with what the user belongs to.

mod get;
mod list_orgs;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(route!(get::get_me)).routes(route!(list_orgs::list_my_organizations))
}
