//! Sign-up, sign-in, sign-out, sessions, passwords, and login with others.

mod change_password;
mod forgot_password;
mod get_session;
mod list_sessions;
mod open;
mod reset_password;
mod revoke_other_sessions;
mod revoke_session;
mod send_verification_email;
mod sign_in;
mod sign_in_social;
mod sign_in_social_callback;
mod sign_out;
mod sign_up;
mod verify_email;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(sign_up::sign_up))
        .routes(route!(sign_in::sign_in))
        .routes(route!(sign_in_social::sign_in_social))
        .routes(route!(sign_in_social_callback::sign_in_social_callback))
        .routes(route!(sign_out::sign_out))
        .routes(route!(get_session::get_session))
        .routes(route!(list_sessions::list_sessions))
        .routes(route!(revoke_session::revoke_session))
        .routes(route!(revoke_other_sessions::revoke_other_sessions))
        .routes(route!(change_password::change_password))
        .routes(route!(forgot_password::forgot_password))
        .routes(route!(reset_password::reset_password))
        .routes(route!(send_verification_email::send_verification_email))
        .routes(route!(verify_email::verify_email))
}
