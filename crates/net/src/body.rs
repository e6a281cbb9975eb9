//! Bodies: streamed both ways, with a limit on standing still.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use crate::Error;

/// A body of a request or response.
pub type Body = UnsyncBoxBody<Bytes, Error>;

/// No body.
pub fn empty() -> Body {
    full(Bytes::new())
}

/// A body that lies in memory.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body that is produced as it is sent.
pub fn stream<S, E>(chunks: S) -> Body
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let frames = chunks.map(|chunk| match chunk {
        Ok(bytes) => Ok(Frame::data(bytes)),
        Err(error) => Err(Error::RequestBody { source: Arc::new(error) }),
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Reads a body to its end; [`Error::TooLarge`] as soon as it exceeds `limit` bytes.
pub async fn read(mut body: Body, limit: usize) -> Result<Bytes, Error> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Error::TooLarge { limit });
    }
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if collected.len() + data.len() > limit {
                return Err(Error::TooLarge { limit });
            }
            collected.extend_from_slice(&data);
        }
    }
    Ok(collected.freeze())
}

/// The data of a body as a stream; trailers are dropped.
pub fn into_stream(body: Body) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    body.into_data_stream()
}

/// A response body that fails when no frame comes for `idle`.
pub(crate) struct Watched {
    body: Incoming,
    idle: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Watched {
    pub(crate) fn new(body: Incoming, idle: Option<Duration>) -> Self {
        Self { body, idle: idle.map(|limit| (limit, Box::pin(sleep(limit)))) }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            if let Some((limit, timer)) = &mut this.idle {
                timer.as_mut().reset(Instant::now() + *limit);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| Error::Exchange { source: Arc::new(error) })));
        }
        let Some((_, timer)) = &mut this.idle else { return Poll::Pending };
        timer.as_mut().poll(cx).map(|()| Some(Err(Error::IdleTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
