use axum::extract::State;
use domain::RunId;
use store::Paged;
use wire::api::list::List;
use wire::api::run_log::RunLog;

use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, IdPath, Paging, perm};
use crate::problem::Problem;
use crate::run_log;

/// Lists the log of a run.
#[utoipa::path(
    get,
    path = "/api/runs/{id}/logs",
    operation_id = "listRunLogs",
    tag = "Runs",
    description = "Everything that happened in the run, in order. The stream of the run delivers the same lines live.",
    params(("id" = RunId, Path, description = "The run."), crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of log lines, oldest first.", body = List<RunLog>))
)]
pub(super) async fn list_run_logs(
    can: Can<perm::RunsRead>,
    State(app): State<App>,
    IdPath(id): IdPath<RunId>,
    paging: Paging,
) -> Result<Answer, Problem> {
    let read = can.read().await?;
    read.runs().get(id).await?.ok_or_else(Problem::not_found)?;
    // Numbers count from 1 without gaps, so a page is a range of them.
    let total = read.run_events().last(id).await?;
    let skipped = i64::try_from((paging.page - 1) * paging.page_size).unwrap_or(i64::MAX);
    let size = u32::try_from(paging.page_size).unwrap_or(u32::MAX);
    let records = read.run_events().after(id, skipped, size).await?;
    drop(read);
    let mut items = Vec::with_capacity(records.len());
    for record in records {
        let event = app.store.whole_event(record.data.clone()).await?;
        items.push(run_log::line(id, &record, &event));
    }
    Answer::list(Paged { items, total: u64::try_from(total).unwrap_or_default() }, paging)
}
