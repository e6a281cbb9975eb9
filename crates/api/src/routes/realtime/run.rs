use std::fmt;
use std::str::FromStr;

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
    let after = match request.seen::<SeenEvent>().and_then(|seen| seen.of(id)) {
        // A number that this run has not reached is another run's.
        Some(seq) if seq <= can.read().await?.run_events().last(id).await? => seq,
        _ => 0,
    };
    let follow = app.store.follow_run(&can.scope, id, after).await?.ok_or_else(Problem::not_found)?;
    let follow = if request.deltas { follow.with_deltas() } else { follow };
    let reader = Reader { app: app.clone(), scope: can.scope, run: id, follow, unsent: None, seq: after };
    Ok(sse::respond(app, request.standing, reader))
}

/// The id of an event: the run and the event's number in it, so that what was seen of one run skips nothing of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EventId {
    run: RunId,
    seq: i64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.run, self.seq)
    }
}

/// An id that a client sends back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SeenEvent {
    Whole(EventId),
    /// A number alone, as ids were once written.
    Number(i64),
}

impl FromStr for SeenEvent {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // Written in one way only: no sign, no blanks.
        let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten().ok_or(());
        match text.split_once('-') {
            Some((run, seq)) => Ok(Self::Whole(EventId { run: run.parse().map_err(|_| ())?, seq: number(seq)? })),
            None => number(text).map(Self::Number),
        }
    }
}

impl SeenEvent {
    /// The number, if the id may be one of this run.
    fn of(self, run: RunId) -> Option<i64> {
        match self {
            Self::Whole(id) => (id.run == run).then_some(id.seq),
            Self::Number(seq) => Some(seq),
        }
    }
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
        loop {
            if self.unsent.is_none() {
                match self.follow.next().await {
                    Ok(Some(Followed::Delta(text))) => return Some(sse::delta(self.id(self.seq), self.run, &text)),
                    Ok(Some(Followed::Event(record))) => self.unsent = Some(record),
                    Ok(None) => return None,
                    Err(error) => return self.broken(&error),
                }
            }
            // The record stays until its bytes are there: this may be dropped at any time.
            let record = self.unsent.as_ref()?;
            let framed = Box::pin(frame(&self.app, &self.scope, self.run, record)).await;
            let seq = record.seq;
            self.unsent = None;
            match framed {
                Ok(Framed::Bytes(bytes)) => {
                    self.seq = seq;
                    return Some(bytes);
                }
                Ok(Framed::Unreadable) => {}
                Ok(Framed::Gone) => return None,
                Err(error) => return self.broken(&error),
            }
        }
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
    fn id(&self, seq: i64) -> EventId {
        EventId { run: self.run, seq }
    }

    fn broken<T>(&self, error: &StoreError) -> Option<T> {
        tracing::warn!(run.id = %self.run, %error, "a stream was ended: its run could not be read");
        None
    }
}

/// What becomes of an event.
enum Framed {
    Bytes(Bytes),
    /// It is left out.
    Unreadable,
    /// The run is gone.
    Gone,
}

async fn frame(app: &App, scope: &AppScope, run: RunId, record: &RunRecord) -> Result<Framed, StoreError> {
    let id = EventId { run, seq: record.seq };
    let Some(event) = sse::readable(&app.store, run, record).await? else { return Ok(Framed::Unreadable) };
    if !sse::changes_state(&event) {
        return Ok(Framed::Bytes(sse::line(id, &run_log::line(run, record, &event))));
    }
    let outline = app.store.patiently(async { app.store.read(scope).await?.runs().outlines(&[run]).await }).await?.pop();
    Ok(outline.map_or(Framed::Gone, |outline| Framed::Bytes(sse::update(id, outline, Some((record, &event))))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_is_of_one_run() {
        let (run, other) = (RunId::new(&domain::RandomIds), RunId::new(&domain::RandomIds));
        let seen = |text: String| text.parse::<SeenEvent>();
        let id = EventId { run, seq: 40 };
        assert_eq!(seen(id.to_string()), Ok(SeenEvent::Whole(id)));
        assert_eq!((SeenEvent::Whole(id).of(run), SeenEvent::Whole(id).of(other)), (Some(40), None));
        assert_eq!(seen("40".to_owned()).map(|seen| seen.of(other)), Ok(Some(40)));
        for nonsense in ["", "-1", "+1", "1-2", "snapshot", "40 ", "99999999999999999999"].map(ToOwned::to_owned) {
            assert_eq!(seen(nonsense), Err(()));
        }
        for nonsense in [format!("{run}-"), format!("{run}--1"), format!("{run}-+1"), run.to_string()] {
            assert_eq!(seen(nonsense), Err(()));
        }
    }
}
