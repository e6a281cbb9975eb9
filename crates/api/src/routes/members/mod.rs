//! Members of an organization and their roles.

mod change_role;
mod end;
mod leave;
mod list;
mod remove;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(list::list_members))
        .routes(route!(change_role::change_member_role))
        .routes(route!(remove::remove_member))
        .routes(route!(leave::leave_organization))
}
