use serde_json::json;
use store::Audit;

use crate::answer::Answer;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// Ends the caller's other sessions.
#[utoipa::path(
    delete,
    path = "/api/auth/sessions",
    operation_id = "revokeOtherSessions",
    tag = "Authentication",
    description = "Signs the user out everywhere but here, at once and on every node.",
    responses((status = 204, description = "This session is the only one."))
)]
pub(super) async fn revoke_other_sessions(can: Can<perm::SignedIn>) -> Result<Answer, Problem> {
    let write = can.write_as_platform().await?;
    let ended = write.sessions().delete_of_user(can.login.user.id, Some(can.login.session.id)).await?;
    write.audit(Audit { subject: Some(can.login.user.id.to_string()), detail: json!({ "ended": ended }) });
    Answer::deleted(write).await
}
