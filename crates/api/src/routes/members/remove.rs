use domain::{OrgId, UserId};

use super::end::end_membership;
use crate::answer::Answer;
use crate::extract::{Can, ChildPath, perm};
use crate::problem::Problem;
use crate::routes::orgs::own;

/// Removes a member.
#[utoipa::path(
    delete,
    path = "/api/orgs/{id}/members/{userId}",
    operation_id = "removeMember",
    tag = "Members",
    description = "Ends the membership at once: sessions no longer reach the organization, keys that the member has made are revoked, invitations that it has made are cancelled. Only an owner removes an owner, and the last one stays.",
    params(("id" = OrgId, Path, description = "The organization."), ("userId" = UserId, Path, description = "The member.")),
    responses((status = 204, description = "The user is no member any more."), (status = 409, description = "It is the last owner."))
)]
pub(super) async fn remove_member(can: Can<perm::MembersRemove>, path: ChildPath<OrgId, UserId>) -> Result<Answer, Problem> {
    own(&can, path.parent)?;
    let write = can.write_org().await?;
    end_membership(write, path.child, can.role).await
}
