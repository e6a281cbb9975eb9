use domain::{AppId, Code};
use store::{ApplicationDeletion, Audit};

use super::within_reach;
use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Deletes an application.
#[utoipa::path(
    delete,
    path = "/api/applications/{id}",
    operation_id = "deleteApplication",
    tag = "Applications",
    description = "Deletes the application with everything in it, its keys and end-users too; only its audit log stays. The default application cannot be deleted, and none \
                   while runs are pending or running.",
    params(("id" = AppId, Path, description = "The application.")),
    responses((status = 204, description = "It is gone."), (status = 409, description = "It is the default application, or runs are pending or running."))
)]
pub(super) async fn delete_application(can: Can<perm::ApplicationsDelete>, IdPath(id): IdPath<AppId>) -> Result<Answer, Problem> {
    within_reach(&can, id)?;
    let write = can.write_org().await?;
    match write.delete_application(id).await? {
        ApplicationDeletion::Done => {}
        ApplicationDeletion::Missing => return Err(Problem::not_found()),
        ApplicationDeletion::IsDefault => return Err(Problem::new(Code::DefaultApplication, "The default application cannot be deleted.")),
        ApplicationDeletion::HasActiveRuns => {
            return Err(Problem::new(Code::RunInProgress, "Runs of the application are pending or running."));
        }
    }
    write.audit(Audit { subject: Some(id.to_string()), ..Audit::default() });
    Answer::deleted(write).await
}
