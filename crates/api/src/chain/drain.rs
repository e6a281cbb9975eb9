//! A body has a time in which it must come, and a refusal reaches a client that is still sending: what the handler left of the body is
//! read away before the answer goes out.
//!
//! A connection that is closed with unread bytes resets, and the reset overtakes the answer (RFC 9112 §9.6). Some clients also read
//! nothing before they have sent everything.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::time::{Sleep, sleep};

use crate::app::App;

/// How much is read away, in bytes: more than any body that a route takes. A client that sends more meets a closed connection.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// How long a slow client is listened to.
const MAX_TIME: Duration = Duration::from_secs(5);

/// A body took longer than a client may take.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body did not arrive in {} s", .0.as_secs_f32())]
pub struct TooSlow(pub Duration);

/// Runs the request, then reads the rest of its body.
pub async fn drain(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Reading would ask a client for the body that it waits to be asked for (RFC 9110 §10.1.1).
    let is_held_back = request.headers().contains_key(header::EXPECT);
    let left = Arc::new(Mutex::new(None));
    let watched = request.map(|body| {
        let patience = app.options.body_patience;
        Body::new(Watched { body: Some(body), begun: !is_held_back, patience, limit: None, left: Arc::clone(&left) })
    });
    let response = next.run(watched).await;
    let body = left.lock().expect("nothing panics while it holds the body").take();
    if let Some(body) = body
        && tokio::time::timeout(MAX_TIME, read_away(body)).await.is_err()
    {
        tracing::debug!("a client was still sending when it was answered");
    }
    response
}

async fn read_away(mut body: Body) {
    let mut read = 0;
    // A body that fails has ended too.
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MAX_BYTES {
            return;
        }
    }
}

/// A body that is put back when it is dropped unread.
struct Watched {
    body: Option<Body>,
    /// Whether the client sends: of itself, or because the body was asked for.
    begun: bool,
    patience: Duration,
    /// When the body must be there; set when it is first waited for.
    limit: Option<Pin<Box<Sleep>>>,
    left: Arc<Mutex<Option<Body>>>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| self.begun && !body.is_end_stream()) {
            *self.left.lock().expect("nothing panics while it holds the body") = Some(body);
        }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        self.begun = true;
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let mut frame = Pin::new(body).poll_frame(context);
        if frame.is_pending() {
            let patience = self.patience;
            let limit = self.limit.get_or_insert_with(|| Box::pin(sleep(patience)));
            if limit.as_mut().poll(context).is_ready() {
                frame = Poll::Ready(Some(Err(axum::Error::new(TooSlow(patience)))));
            }
        }
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.as_ref().map_or_else(|| http_body::SizeHint::with_exact(0), HttpBody::size_hint)
    }
}
