use axum::extract::RawQuery;
use domain::{PackageName, RunStatus};
use store::RunFilter;
use wire::api::list::List;
use wire::api::run::Run;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, Paging, paging, perm};
use crate::problem::Problem;

/// Lists runs.
#[utoipa::path(
    get,
    path = "/api/runs",
    operation_id = "listRuns",
    tag = "Runs",
    description = "The runs of the application, newest first. A call as an end-user sees its own only.",
    params(
        crate::openapi::PagingParameters,
        ("status" = Option<RunStatus>, Query, description = "Only runs in this state."),
        ("agentId" = Option<PackageName>, Query, description = "Only runs of this agent.")
    ),
    responses((status = 200, description = "A page of runs.", body = List<Run>))
)]
pub(super) async fn list_runs(can: Can<perm::RunsRead>, paging: Paging, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let status = paging::parameter(query.as_deref(), "status", 20)?
        .map(|text| RunStatus::parse(&text).ok_or_else(|| Problem::invalid("/status", "invalid_value", "is no state of a run")))
        .transpose()?;
    let agent = paging::parameter(query.as_deref(), "agentId", 256)?
        .map(|text| text.parse::<PackageName>().map_err(|error| Problem::invalid("/agentId", "invalid_format", error.to_string())))
        .transpose()?;
    let page = can.read().await?.runs().list(&RunFilter { agent, status }, paging.into()).await?;
    let page = page.try_map(|row| Ok::<_, Problem>(convert::run(row)))?;
    Answer::list(page, paging)
}
