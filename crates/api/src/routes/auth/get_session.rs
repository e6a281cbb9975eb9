use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// Reads the current session.
#[utoipa::path(
    get,
    path = "/api/auth/get-session",
    operation_id = "getSession",
    tag = "Authentication",
    description = "The session of the cookie and its user.",
    responses((status = 200, description = "The session.", body = wire::api::session::Session))
)]
pub(super) async fn get_session(can: Can<perm::SignedIn>) -> Result<Answer, Problem> {
    Answer::object(&convert::session(&can.login.session, can.login.user.clone()))
}
