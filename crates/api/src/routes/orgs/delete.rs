use domain::{Code, OrgId};
use store::{Audit, OrganizationDeletion};

use super::own;
use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Deletes an organization.
#[utoipa::path(
    delete,
    path = "/api/orgs/{id}",
    operation_id = "deleteOrganization",
    tag = "Organizations",
    description = "Deletes the organization with everything in it, at once and for good; only its audit log stays. Refused while runs are pending or running.",
    params(("id" = OrgId, Path, description = "The organization.")),
    responses((status = 204, description = "It is gone."), (status = 409, description = "Runs are pending or running."))
)]
pub(super) async fn delete_organization(can: Can<perm::OrgDelete>, IdPath(id): IdPath<OrgId>) -> Result<Answer, Problem> {
    own(&can, id)?;
    let write = can.write_org().await?;
    match write.delete_organization().await? {
        OrganizationDeletion::Done => {}
        OrganizationDeletion::Missing => return Err(Problem::not_found()),
        OrganizationDeletion::HasActiveRuns => {
            return Err(Problem::new(Code::RunInProgress, "Runs of the organization are pending or running."));
        }
    }
    write.audit(Audit { subject: Some(id.to_string()), ..Audit::default() });
    Answer::deleted(write).await
}
