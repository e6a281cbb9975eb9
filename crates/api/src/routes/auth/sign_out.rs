use axum::extract::State;
use store::WriteContext;

use crate::answer::Answer;
use crate::app::App;
use crate::cookie;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// Signs the user out.
#[utoipa::path(
    post,
    path = "/api/auth/sign-out",
    operation_id = "signOut",
    tag = "Authentication",
    description = "Ends the session of the cookie, at once and on every node.",
    responses((status = 204, description = "The session is over."))
)]
pub(super) async fn sign_out(can: Can<perm::SignedIn>, State(app): State<App>) -> Result<Answer, Problem> {
    auth::sign_in::close(&app.store, can.login.session.id, WriteContext::internal()).await?;
    Ok(Answer::empty_committed().with_cookie(cookie::forget(&app.options.app_url)))
}
