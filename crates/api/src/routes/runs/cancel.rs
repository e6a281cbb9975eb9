use domain::RunId;
use wire::api::run::Run;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Cancels a run.
#[utoipa::path(
    post,
    path = "/api/runs/{id}/cancel",
    operation_id = "cancelRun",
    tag = "Runs",
    description = "Ends a waiting run at once and asks a running one to stop; `cancelRequestedAt` says since when. Repeating it changes nothing.",
    params(("id" = RunId, Path, description = "The run.")),
    responses((status = 200, description = "The run as it stands now.", body = Run), (status = 409, description = "The run has already ended."))
)]
pub(super) async fn cancel_run(can: Can<perm::RunsCancel>, IdPath(id): IdPath<RunId>) -> Result<Answer, Problem> {
    let write = can.write().await?;
    runs::cancel(&write, id).await?;
    let run = write.runs().get(id).await?.ok_or_else(Problem::not_found)?;
    Answer::done(write, 200, &convert::run(run)).await
}
