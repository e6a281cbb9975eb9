use axum::extract::State;
use store::{AuditFacts, WriteContext};

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
    let session = can.login.session.id;
    auth::sign_in::close(
        &app.store,
        session,
        WriteContext::of(AuditFacts { subject: Some(session.to_string()), ..can.facts().clone() }).answering(204),
    )
    .await?;
    Ok(Answer::empty_committed().with_cookie(cookie::forget(&app.options.app_url)))
}
