use domain::OrgId;

use super::end::end_membership;
use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;
use crate::routes::orgs::own;

/// Leaves an organization.
#[utoipa::path(
    post,
    path = "/api/orgs/{id}/leave",
    operation_id = "leaveOrganization",
    tag = "Members",
    description = "Ends the caller's own membership at once, whatever its role: keys that the caller has made there are revoked, invitations that it has made are cancelled. The last owner stays: it first makes another member an owner, or deletes the organization. A repetition under the same `Idempotency-Key` is refused with 403: the caller is no member any more.",
    params(("id" = OrgId, Path, description = "The organization.")),
    responses((status = 204, description = "The caller is no member any more."), (status = 409, description = "The caller is the last owner."))
)]
pub(super) async fn leave_organization(can: Can<perm::OrgLeave>, IdPath(id): IdPath<OrgId>) -> Result<Answer, Problem> {
    own(&can, id)?;
    let write = can.write_org().await?;
    end_membership(write, can.user, can.role).await
}
