//! A client of many runs.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;
use axum::response::Response;
use domain::PackageName;
use store::{AppScope, EventCursor, Rest, RunOutline, StoreError};
use tokio::sync::watch;

use super::client::{Source, respond};
use super::frame;
use super::hub::Held;
use super::request::StreamRequest;
use super::tail::{Following, Found, Framed};
use crate::app::App;
use crate::metrics::Metrics;
use crate::problem::Problem;

/// Runs in the snapshot.
const SNAPSHOT: u32 = 50;

/// The id of the snapshot's events. It is no cursor: a client whose stream broke within the snapshot gets it again.
const IN_SNAPSHOT: &str = "snapshot";

/// Streams all runs that the scope reaches, or one agent's: without `Last-Event-ID` their newest states first, then what happens.
pub(crate) async fn stream(app: App, scope: AppScope, agent: Option<PackageName>, request: StreamRequest) -> Result<Response, Problem> {
    let following = Following { store: app.store.clone(), scope, agent };
    let seen = request.seen::<EventCursor>();
    let (end, newest) = begin(&following, seen.is_none()).await?;
    let tail = app.streams().join(&following, end);
    let first = seen.is_none().then(|| snapshot(newest, end));
    let metrics = Arc::clone(app.metrics());
    let wide = Wide { metrics, following, grown: tail.grown(), tail, cursor: seen.unwrap_or(end), first, own: VecDeque::new() };
    Ok(respond(app, request.standing, wide))
}

/// Where the sequence ends now, and the newest runs. The end is read first: what happens in between is told twice, as state and as
/// event, and never missed.
async fn begin(following: &Following, with_runs: bool) -> Result<(EventCursor, Vec<RunOutline>), StoreError> {
    let read = following.store.read(&following.scope).await?;
    let end = read.run_events().end().await?;
    let runs = if with_runs { read.runs().newest_outlines(following.agent.as_ref(), SNAPSHOT).await? } else { Vec::new() };
    Ok((end, runs))
}

fn snapshot(newest: Vec<RunOutline>, end: EventCursor) -> Bytes {
    let mut frames: Vec<Bytes> = newest.into_iter().rev().map(|run| frame::update(IN_SNAPSHOT, run, None)).collect();
    frames.push(frame::position(end));
    frames.concat().into()
}

/// Where a client stands that was behind the tail's floor and has read nothing for it, up to `end`.
///
/// The floor may be an event that is gone by now, with its end-user. What was in front of the floor when the client looked there was
/// committed before it read: unless it has stopped half-way, nothing is left between, and it goes on from the floor.
fn passed(end: EventCursor, rest: Rest, floor: EventCursor) -> EventCursor {
    if rest == Rest::More { end } else { end.max(floor) }
}

struct Wide {
    metrics: Arc<Metrics>,
    following: Following,
    tail: Held,
    grown: watch::Receiver<()>,
    /// The last event that was handed out.
    cursor: EventCursor,
    first: Option<Bytes>,
    /// What the client has read by itself because it was behind.
    own: VecDeque<Framed>,
}

impl Source for Wide {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            if let Some(Framed { cursor, frame }) = self.own.pop_front() {
                self.cursor = cursor;
                return Some(frame);
            }
            match self.tail.after(self.cursor) {
                Found::Frame(Framed { cursor, frame }) => {
                    self.cursor = cursor;
                    return Some(frame);
                }
                Found::Nothing => {
                    // An error would say that the tail is gone, which is held here.
                    self.grown.changed().await.ok()?;
                }
                Found::Behind(floor) => {
                    self.metrics.caught_up();
                    match Box::pin(self.following.read(self.cursor)).await {
                        Ok((frames, end, rest)) if frames.is_empty() => self.cursor = passed(end, rest, floor),
                        Ok((frames, _, _)) => self.own = frames.into(),
                        Err(error) => {
                            tracing::warn!(app.id = %self.following.scope.app(), %error, "a stream was ended: it could not catch up");
                            return None;
                        }
                    }
                }
            }
        }
    }

    /// The tail is woken with everyone; the rows of a whole application do not go away by themselves.
    async fn look_again(&mut self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_nothing_goes_on_from_the_floor_unless_there_is_more_to_read() {
        let at = |position: u64| format!("0-{position}").parse::<EventCursor>().expect("a cursor");
        assert_eq!(passed(at(3), Rest::More, at(9)), at(3));
        assert_eq!(passed(at(3), Rest::Nothing, at(9)), at(9));
        assert_eq!(passed(at(3), Rest::Hidden, at(9)), at(9));
        assert_eq!(passed(at(12), Rest::Nothing, at(9)), at(12));
    }
}
