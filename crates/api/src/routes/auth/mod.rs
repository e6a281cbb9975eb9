//! Sign-up, sign-in, sign-out, session.

mod get_session;
mod sign_in;
mod sign_out;
mod sign_up;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(sign_up::sign_up))
        .routes(route!(sign_in::sign_in))
        .routes(route!(sign_out::sign_out))
        .routes(route!(get_session::get_session))
}
