use axum::extract::State;
use axum::response::Response;
use wire::api::run_update::StreamEvent;

use crate::app::App;
use crate::extract::{AgentPath, Can, perm};
use crate::problem::Problem;
use crate::sse::{self, StreamRequest};

/// Streams the runs of an agent.
#[utoipa::path(
    get,
    path = "/api/realtime/agents/{scope}/{name}/runs",
    operation_id = "streamAgentRuns",
    tag = "Realtime",
    description = "As `GET /api/realtime/runs`, with the states and the log lines of this agent's runs only. Inline runs belong to no agent. A name \
                   without runs is silent.",
    params(
        ("scope" = String, Path, description = "The agent's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The agent's name.", example = "refund-triage"),
        crate::openapi::StreamParameters,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen: the stream goes on behind it.")
    ),
    responses((status = 200, description = "The stream.", body = StreamEvent, content_type = "text/event-stream"))
)]
pub(super) async fn stream_agent_runs(
    can: Can<perm::RunsRead>,
    State(app): State<App>,
    AgentPath(agent): AgentPath,
    request: StreamRequest,
) -> Result<Response, Problem> {
    sse::stream(app, can.scope, Some(agent), request).await
}
