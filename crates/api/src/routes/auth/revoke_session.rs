use domain::SessionId;
use store::Audit;

use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Ends one of the caller's sessions.
#[utoipa::path(
    delete,
    path = "/api/auth/sessions/{id}",
    operation_id = "revokeSession",
    tag = "Authentication",
    description = "Signs the user out where this session is in use, at once and on every node. Another user's session reads as one that does not exist.",
    params(("id" = SessionId, Path, description = "The session.", example = "ses_01jd9xq3e8f2t8v0k3m5n7p9r1")),
    responses((status = 204, description = "The session is over."))
)]
pub(super) async fn revoke_session(can: Can<perm::SignedIn>, IdPath(id): IdPath<SessionId>) -> Result<Answer, Problem> {
    let write = can.write_as_platform().await?;
    if !write.sessions().delete_own(can.login.user.id, id).await? {
        return Err(Problem::not_found());
    }
    write.audit(Audit { subject: Some(id.to_string()), ..Audit::default() });
    Answer::deleted(write).await
}
