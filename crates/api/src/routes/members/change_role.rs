use domain::{Code, OrgId, Permission, Role, UserId};
use serde_json::json;
use store::Audit;
use wire::api::member::{ChangeMemberRole, Member};

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, ChildPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::routes::orgs::own;
use crate::rules;

impl rules::Checked for ChangeMemberRole {
    fn check(&self) -> Vec<Violation> {
        Vec::new()
    }
}

/// Changes a member's role.
#[utoipa::path(
    patch,
    path = "/api/orgs/{id}/members/{userId}",
    operation_id = "changeMemberRole",
    tag = "Members",
    description = "Gives the member another role, from its next request on; the keys that it has made follow. A role that may not invite cancels the open invitations that the member has made. Nobody changes their own role, and the last owner stays one.",
    params(("id" = OrgId, Path, description = "The organization."), ("userId" = UserId, Path, description = "The member.")),
    request_body = ChangeMemberRole,
    responses((status = 200, description = "The member after the change.", body = Member), (status = 409, description = "It is the last owner."))
)]
pub(super) async fn change_member_role(
    can: Can<perm::MembersChangeRole>,
    path: ChildPath<OrgId, UserId>,
    Json(body): Json<ChangeMemberRole>,
) -> Result<Answer, Problem> {
    own(&can, path.parent)?;
    let user = path.child;
    let write = can.write_org().await?;
    // First the lock on the owners: of two owners who demote each other at once, one stays.
    let owners = write.members().owners().await?;
    let before = write.members().get(user).await?.ok_or_else(Problem::not_found)?;
    if user == can.user {
        return Err(Problem::new(Code::OperationNotAllowed, "You cannot change your own role; another owner can."));
    }
    if before.role == Role::Owner && body.role != Role::Owner && owners.len() == 1 {
        return Err(Problem::new(Code::LastOwner, "The member is the only owner."));
    }
    write.members().set_role(user, body.role).await?;
    // After the role, which an invitation under way waits for: whoever may not invite has no invitations open.
    let cancelled = if Permission::MembersInvite.is_held_by(body.role) { 0 } else { write.invitations().cancel_of(user).await? };
    let member = write.members().get(user).await?.ok_or_else(Problem::not_found)?;
    let detail = json!({ "role": { "from": before.role, "to": body.role }, "invitationsCancelled": cancelled });
    write.audit(Audit { subject: Some(user.to_string()), detail });
    Answer::done(write, 200, &convert::member(member)).await
}
