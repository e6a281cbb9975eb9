use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::RunId;
use futures::stream;
use serde_json::json;
use store::{FollowRun, Followed, StoreError};
use tokio::time::{Instant, Interval, interval_at};
use wire::api::run_log::RunLog;
use wire::run_event::RunEvent;

use crate::app::App;
use crate::chain::authenticate::Standing;
use crate::extract::{Can, IdPath, paging, perm};
use crate::problem::Problem;
use crate::run_log;

/// How often a stream asks whether its caller may still see it.
const REAUTHORIZE_EVERY: Duration = Duration::from_secs(30);
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);
/// What a client waits before it comes back.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Streams a run.
#[utoipa::path(
    get,
    path = "/api/realtime/runs/{id}",
    operation_id = "streamRun",
    tag = "Realtime",
    description = "The history of the run, then what happens, as server-sent events; the stream ends after the run's end. `run_update` tells a change of \
                   state, `run_log` a log line, `run_delta` the model's text as it comes (with `deltas=true`). `Last-Event-ID` resumes without gap or \
                   duplicate. A key may stand in `?token=`, the end-user in `?endUser=`; they are redacted from every log.",
    params(
        ("id" = RunId, Path, description = "The run."),
        ("token" = Option<String>, Query, description = "The API key, for clients that cannot send headers."),
        ("endUser" = Option<String>, Query, description = "The end-user to act as."),
        ("orgId" = Option<String>, Query, description = "The organization, with a session."),
        ("appId" = Option<String>, Query, description = "The application, with a session."),
        ("deltas" = Option<bool>, Query, description = "Also stream the model's text as it comes."),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen.")
    ),
    responses((status = 200, description = "The stream.", body = RunLog, content_type = "text/event-stream"))
)]
pub(super) async fn stream_run(
    can: Can<perm::RunsRead>,
    State(app): State<App>,
    IdPath(id): IdPath<RunId>,
    request: StreamRequest,
) -> Result<Response, Problem> {
    let follow = app.store.follow_run(&can.scope, id, request.after).await?.ok_or_else(Problem::not_found)?;
    let check = interval_at(Instant::now() + REAUTHORIZE_EVERY, REAUTHORIZE_EVERY);
    let StreamRequest { standing, deltas, after } = request;
    let reader = Reader { app, run: id, follow, standing, check, deltas, seq: after, is_first: true };
    let events = stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), Some(reader)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_EVERY)).into_response())
}

/// What a client asks of a stream.
pub(super) struct StreamRequest {
    standing: Standing,
    deltas: bool,
    /// The number of the last event that the client has seen; 0: none.
    after: i64,
}

impl<S: Send + Sync> FromRequestParts<S> for StreamRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let deltas = match paging::parameter(parts.uri.query(), "deltas", 5)?.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Problem::invalid("/deltas", "invalid_value", "must be true or false")),
        };
        // Ids are opaque to clients; one that is not ours starts from the beginning.
        let seen = parts.headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
        let standing = parts.extensions.get::<Standing>().cloned().expect("the chain keeps the claims of every stream");
        Ok(Self { standing, deltas, after: seen.filter(|seq| *seq >= 0).unwrap_or(0) })
    }
}

/// One client of one run.
struct Reader {
    app: App,
    run: RunId,
    follow: FollowRun,
    standing: Standing,
    check: Interval,
    deltas: bool,
    /// The number of the last event that was sent.
    seq: i64,
    is_first: bool,
}

impl Reader {
    /// The next event; `None` ends the stream: the run is over, the caller lost its right, or the database is gone.
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                biased;
                _ = self.check.tick() => {
                    if !self.standing.holds(&self.app).await {
                        return None;
                    }
                }
                followed = self.follow.next() => match followed {
                    Ok(Some(followed)) => match self.event(followed).await {
                        Ok(Some(event)) => return Some(event),
                        Ok(None) => {}
                        Err(error) => return self.broken(&error),
                    },
                    Ok(None) => return None,
                    Err(error) => return self.broken(&error),
                },
            }
        }
    }

    fn broken(&self, error: &StoreError) -> Option<Event> {
        tracing::warn!(run.id = %self.run, %error, "a stream was ended: its run could not be read");
        None
    }

    async fn event(&mut self, followed: Followed) -> Result<Option<Event>, StoreError> {
        let record = match followed {
            Followed::Delta(text) if self.deltas => {
                let data = json!({ "runId": self.run, "text": &*text });
                return Ok(Some(self.frame("run_delta", &data.to_string())));
            }
            Followed::Delta(_) => return Ok(None),
            Followed::Event(record) => record,
        };
        self.seq = record.seq;
        let event = self.app.store.whole_event(record.data.clone()).await?;
        let line = run_log::line(self.run, &record, &event);
        let data = serde_json::to_string(&line).expect("a log line is JSON");
        let name = match event {
            RunEvent::Created { .. } | RunEvent::Started { .. } | RunEvent::Ended { .. } => "run_update",
            _ => "run_log",
        };
        Ok(Some(self.frame(name, &data)))
    }

    fn frame(&mut self, name: &str, data: &str) -> Event {
        let event = Event::default().id(self.seq.to_string()).event(name).data(data);
        if std::mem::take(&mut self.is_first) { event.retry(RETRY_AFTER) } else { event }
    }
}
