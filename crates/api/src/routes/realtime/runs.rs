use axum::extract::State;
use axum::response::Response;
use wire::api::run_update::StreamEvent;

use crate::app::App;
use crate::extract::{Can, perm};
use crate::problem::Problem;
use crate::sse::{self, StreamRequest};

/// Streams the runs of the application.
#[utoipa::path(
    get,
    path = "/api/realtime/runs",
    operation_id = "streamRuns",
    tag = "Realtime",
    description = "The newest 50 runs as they stand, oldest first, each as a `run_update` without `seq`; then what happens in any run, as server-sent \
                   events: `run_update` for a change of state, `run_log` for a log line. The stream has no end of its own. With `Last-Event-ID` it begins \
                   behind that event, without gap or duplicate and without the snapshot. A call as an end-user sees its own runs only. The data of a log \
                   line above 32 KiB is left out (`{\"omitted\": true}`); the run's own stream and its log have it whole. Open it with a ticket of \
                   `POST /api/realtime/tickets`, a key, or a session.",
    params(
        crate::openapi::StreamParameters,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen: the stream goes on behind it.")
    ),
    responses((status = 200, description = "The stream.", body = StreamEvent, content_type = "text/event-stream"))
)]
pub(super) async fn stream_runs(can: Can<perm::RunsRead>, State(app): State<App>, request: StreamRequest) -> Result<Response, Problem> {
    sse::stream(app, can.scope, None, request).await
}
