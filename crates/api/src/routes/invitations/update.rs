use axum::extract::State;
use domain::{InvitationId, OrgId, Role};
use serde_json::json;
use store::Audit;
use wire::api::invitation::{Invitation, UpdateInvitation};

use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, ChildPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::routes::orgs::own;
use crate::rules;

impl rules::Checked for UpdateInvitation {
    fn check(&self) -> Vec<Violation> {
        Vec::new()
    }
}

/// Changes an invitation.
#[utoipa::path(
    patch,
    path = "/api/orgs/{id}/invitations/{invitationId}",
    operation_id = "updateInvitation",
    tag = "Invitations",
    description = "Offers another role. The link stays the same.",
    params(("id" = OrgId, Path, description = "The organization."), ("invitationId" = InvitationId, Path, description = "The invitation.")),
    request_body = UpdateInvitation,
    responses((status = 200, description = "The invitation after the change.", body = Invitation))
)]
pub(super) async fn update_invitation(
    can: Can<perm::MembersInvite>,
    State(app): State<App>,
    path: ChildPath<OrgId, InvitationId>,
    Json(body): Json<UpdateInvitation>,
) -> Result<Answer, Problem> {
    own(&can, path.parent)?;
    let role = Role::from(body.role);
    let write = can.write_org().await?;
    let invitation = write.invitations().set_role(path.child, role).await?.ok_or_else(Problem::not_found)?;
    write.audit(Audit { subject: Some(invitation.id.to_string()), detail: json!({ "role": role }) });
    Answer::done(write, 200, &convert::invitation(invitation, app.now())).await
}
