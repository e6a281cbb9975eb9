use axum::extract::State;
use axum::response::Response;
use wire::api::run_update::StreamEvent;

use crate::app::App;
use crate::extract::{Can, EncodedAgentPath, perm};
use crate::problem::Problem;
use crate::sse::{self, StreamRequest};

/// Streams the runs of an agent, named in one segment.
#[utoipa::path(
    get,
    path = "/api/realtime/agents/{id}/runs",
    operation_id = "streamAgentRunsById",
    tag = "Realtime",
    description = "The same stream as `GET /api/realtime/agents/{scope}/{name}/runs`, for clients that put the whole name into one segment.",
    params(
        ("id" = String, Path, description = "The agent, its slash written as `%2F`.", example = "@acme%2Frefund-triage"),
        crate::openapi::StreamParameters,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen: the stream goes on behind it.")
    ),
    responses((status = 200, description = "The stream.", body = StreamEvent, content_type = "text/event-stream"))
)]
pub(super) async fn stream_agent_runs_by_id(
    can: Can<perm::RunsRead>,
    State(app): State<App>,
    EncodedAgentPath(agent): EncodedAgentPath,
    request: StreamRequest,
) -> Result<Response, Problem> {
    sse::stream(app, can.scope, Some(agent), request).await
}
