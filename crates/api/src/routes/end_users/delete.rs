use domain::EndUserId;

use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Deletes an end-user.
#[utoipa::path(
    delete,
    path = "/api/end-users/{id}",
    operation_id = "deleteEndUser",
    tag = "End-users",
    description = "Deletes the end-user with all that is its own: runs, state, memories, connections.",
    params(("id" = EndUserId, Path, description = "The end-user.")),
    responses((status = 204, description = "The end-user is gone."))
)]
pub(super) async fn delete_end_user(can: Can<perm::EndUsersDelete>, IdPath(id): IdPath<EndUserId>) -> Result<Answer, Problem> {
    let write = can.write().await?;
    if !write.end_users().delete(id).await? {
        return Err(Problem::not_found());
    }
    Answer::deleted(write).await
}
