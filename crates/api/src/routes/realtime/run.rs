use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use domain::RunId;
use store::{AppScope, FollowRun, Followed, RunRecord, StoreError};
use wire::api::run_update::StreamEvent;

use crate::app::App;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;
use crate::run_log;
use crate::sse::{self, Source, StreamRequest};

/// Streams a run.
#[utoipa::path(
    get,
    path = "/api/realtime/runs/{id}",
    operation_id = "streamRun",
    tag = "Realtime",
    description = "The history of the run, then what happens, as server-sent events; the stream ends after the run's end. `run_update` tells a change of \
                   state, `run_log` a log line, `run_delta` the model's text as it comes (with `deltas=true`). `Last-Event-ID` resumes without gap or \
                   duplicate. Open it with a ticket of `POST /api/realtime/tickets`, a key, or a session.",
    params(
        ("id" = RunId, Path, description = "The run."),
        crate::openapi::StreamParameters,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen: the stream goes on behind it."),
        ("deltas" = Option<bool>, Query, description = "Also stream the model's text as it comes.")
    ),
    responses((status = 200, description = "The stream.", body = StreamEvent, content_type = "text/event-stream"))
)]
pub(super) async fn stream_run(
    can: Can<perm::RunsRead>,
    State(app): State<App>,
    IdPath(id): IdPath<RunId>,
    request: StreamRequest,
) -> Result<Response, Problem> {
    let after = request.seen::<i64>().filter(|seq| *seq >= 0).unwrap_or(0);
    let follow = app.store.follow_run(&can.scope, id, after).await?.ok_or_else(Problem::not_found)?;
    let follow = if request.deltas { follow.with_deltas() } else { follow };
    let reader = Reader { app: app.clone(), scope: can.scope, run: id, follow, unsent: None, seq: after };
    Ok(sse::respond(app, request.standing, reader))
}

/// One client of one run.
struct Reader {
    app: App,
    scope: AppScope,
    run: RunId,
    follow: FollowRun,
    unsent: Option<RunRecord>,
    /// The number of the last event that was sent.
    seq: i64,
}

impl Source for Reader {
    /// `None`: the run is over or gone, or the database is.
    async fn next(&mut self) -> Option<Bytes> {
        if self.unsent.is_none() {
            match self.follow.next().await {
                Ok(Some(Followed::Delta(text))) => return Some(sse::delta(self.seq, self.run, &text)),
                Ok(Some(Followed::Event(record))) => self.unsent = Some(record),
                Ok(None) => return None,
                Err(error) => return self.broken(&error),
            }
        }
        // The record stays until its bytes are there: this may be dropped at any time.
        let record = self.unsent.as_ref()?;
        let framed = Box::pin(frame(&self.app, &self.scope, self.run, record)).await;
        self.seq = record.seq;
        self.unsent = None;
        framed.unwrap_or_else(|error| self.broken(&error))
    }

    async fn look_again(&mut self) -> bool {
        match self.follow.look_again().await {
            Ok(is_there) => is_there,
            // As for the caller's credential: the stream outlives a restart of the database.
            Err(StoreError::Unavailable { .. }) => true,
            Err(error) => self.broken::<()>(&error).is_some(),
        }
    }
}

impl Reader {
    fn broken<T>(&self, error: &StoreError) -> Option<T> {
        tracing::warn!(run.id = %self.run, %error, "a stream was ended: its run could not be read");
        None
    }
}

/// The event as bytes. `None`: the run is gone.
async fn frame(app: &App, scope: &AppScope, run: RunId, record: &RunRecord) -> Result<Option<Bytes>, StoreError> {
    let event = app.store.whole_event(record.data.clone()).await?;
    if !sse::changes_state(&event) {
        return Ok(Some(sse::line(record.seq, &run_log::line(run, record, &event))));
    }
    let outline = app.store.patiently(async { app.store.read(scope).await?.runs().outlines(&[run]).await }).await?.pop();
    Ok(outline.map(|outline| sse::update(record.seq, outline, Some((record, &event)))))
}
