use domain::RunId;
use wire::api::run::Run;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Reads a run.
#[utoipa::path(
    get,
    path = "/api/runs/{id}",
    operation_id = "getRun",
    tag = "Runs",
    description = "A run of the application with its result. A call as an end-user finds its own only.",
    params(("id" = RunId, Path, description = "The run.")),
    responses((status = 200, description = "The run.", body = Run))
)]
pub(super) async fn get_run(can: Can<perm::RunsRead>, IdPath(id): IdPath<RunId>) -> Result<Answer, Problem> {
    let run = can.read().await?.runs().get(id).await?.ok_or_else(Problem::not_found)?;
    Answer::object(&convert::run(run))
}
