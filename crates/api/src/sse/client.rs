//! One client of a stream: it gets what its source has, a comment where that is silent, and an end when it may see no more.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use domain::Permission;
use futures::stream;
use tokio::time::{Instant, timeout_at};

use super::Timing;
use super::frame::{KEEP_ALIVE, opening};
use crate::app::App;
use crate::chain::authenticate::Standing;
use crate::metrics::OpenStream;

/// Where a client's events come from.
pub(crate) trait Source: Send + 'static {
    /// The next bytes; `None` ends the stream. Cancel-safe: what is dropped half-way comes again.
    fn next(&mut self) -> impl Future<Output = Option<Bytes>> + Send;

    /// Looks at the tables with the next step, in case a wake was lost. `false`: there is nothing to follow any more.
    fn look_again(&mut self) -> impl Future<Output = bool> + Send;
}

/// The stream as a response.
pub(crate) fn respond<S: Source>(app: App, standing: Standing, source: S) -> Response {
    let timing = app.options.streams;
    let now = Instant::now();
    let client = Client {
        check_at: now + timing.reauthorize_every,
        silent_until: now,
        is_open: false,
        counted: app.metrics().stream(),
        app,
        standing,
        timing,
        source,
    };
    let frames = stream::unfold(client, |mut client| async { client.next().await.map(|frame| (Ok::<_, Infallible>(frame), client)) });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy that gathers an answer before it passes it on would gather for ever (nginx).
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

struct Client<S> {
    #[expect(dead_code, reason = "held, so that the stream is counted as open")]
    counted: OpenStream,
    app: App,
    standing: Standing,
    timing: Timing,
    source: S,
    is_open: bool,
    check_at: Instant,
    silent_until: Instant,
}

impl<S: Source> Client<S> {
    async fn next(&mut self) -> Option<Bytes> {
        if !self.is_open {
            self.is_open = true;
            return Some(self.spoken(opening()));
        }
        loop {
            // Before anything else, so that a stream that is never silent asks as well.
            if self.check_at <= Instant::now() && !Box::pin(self.may_go_on()).await {
                return None;
            }
            if let Ok(frame) = timeout_at(self.check_at.min(self.silent_until), self.source.next()).await {
                return frame.map(|frame| self.spoken(frame));
            }
            if self.silent_until <= Instant::now() {
                return Some(self.spoken(KEEP_ALIVE));
            }
        }
    }

    fn spoken(&mut self, frame: Bytes) -> Bytes {
        self.silent_until = Instant::now() + self.timing.keep_alive_every;
        frame
    }

    /// Asks for everything anew: credential, membership, end-user, permission, and that there is still something to see.
    async fn may_go_on(&mut self) -> bool {
        let holds = self.standing.holds(&self.app, Permission::RunsRead).await && self.source.look_again().await;
        self.check_at = Instant::now() + self.timing.reauthorize_every;
        holds
    }
}
