use domain::{InvitationId, OrgId};
use store::Audit;

use crate::answer::Answer;
use crate::extract::{Can, ChildPath, perm};
use crate::problem::Problem;
use crate::routes::orgs::own;

/// Cancels an invitation.
#[utoipa::path(
    delete,
    path = "/api/orgs/{id}/invitations/{invitationId}",
    operation_id = "cancelInvitation",
    tag = "Invitations",
    description = "Ends an open invitation: its link leads nowhere from now on.",
    params(("id" = OrgId, Path, description = "The organization."), ("invitationId" = InvitationId, Path, description = "The invitation.")),
    responses((status = 204, description = "It is cancelled."))
)]
pub(super) async fn cancel_invitation(can: Can<perm::MembersInvite>, path: ChildPath<OrgId, InvitationId>) -> Result<Answer, Problem> {
    own(&can, path.parent)?;
    let write = can.write_org().await?;
    if !write.invitations().cancel(path.child).await? {
        return Err(Problem::not_found());
    }
    write.audit(Audit { subject: Some(path.child.to_string()), ..Audit::default() });
    Answer::deleted(write).await
}
