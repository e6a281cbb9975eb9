use domain::{Code, OrgId, Role, UserId};
use serde_json::json;
use store::Audit;

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
    let user = path.child;
    let write = can.write_org().await?;
    let owners = write.members().owners().await?;
    let member = write.members().get(user).await?.ok_or_else(Problem::not_found)?;
    if member.role == Role::Owner && can.role != Role::Owner {
        return Err(Problem::new(Code::OperationNotAllowed, "Only an owner can remove an owner."));
    }
    if member.role == Role::Owner && owners.len() == 1 {
        return Err(Problem::new(Code::LastOwner, "The member is the only owner."));
    }
    let revoked = write.revoke_keys_of(user).await?;
    let cancelled = write.invitations().cancel_of(user).await?;
    write.members().remove(user).await?;
    let detail = json!({ "role": member.role, "keysRevoked": revoked, "invitationsCancelled": cancelled });
    write.audit(Audit { subject: Some(user.to_string()), detail });
    Answer::deleted(write).await
}
