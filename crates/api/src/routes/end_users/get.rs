use domain::EndUserId;
use wire::api::end_user::EndUser;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Reads an end-user.
#[utoipa::path(
    get,
    path = "/api/end-users/{id}",
    operation_id = "getEndUser",
    tag = "End-users",
    description = "An end-user of the application. A call as an end-user finds itself only.",
    params(("id" = EndUserId, Path, description = "The end-user.")),
    responses((status = 200, description = "The end-user.", body = EndUser))
)]
pub(super) async fn get_end_user(can: Can<perm::EndUsersRead>, IdPath(id): IdPath<EndUserId>) -> Result<Answer, Problem> {
    let end_user = can.read().await?.end_users().get(id).await?.ok_or_else(Problem::not_found)?;
    Answer::object(&convert::end_user(can.scope.app(), end_user))
}
