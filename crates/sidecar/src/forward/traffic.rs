//! Counting the bytes of a connection, and the event at its end.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use wire::run_event::RunEvent;

use crate::limits;
use crate::recorder::Slot;

/// What is left of the run's bytes. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    used: Arc<AtomicU64>,
}

/// The run has moved [`limits::EGRESS_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this run has moved {} GiB, which is the most it may move", limits::EGRESS_BYTES / 1024 / 1024 / 1024)]
pub struct Exhausted;

/// One connection on the record; the event is written when the last part of it is dropped.
#[derive(Debug)]
pub struct Traffic {
    host: String,
    port: u16,
    allowed: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    budget: Budget,
    slot: Mutex<Option<Slot>>,
}

impl Traffic {
    pub fn begin(host: String, port: u16, budget: Budget, slot: Slot) -> Arc<Self> {
        Arc::new(Self {
            host,
            port,
            allowed: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            budget,
            slot: Mutex::new(Some(slot)),
        })
    }

    /// The policy lets the connection through.
    pub fn allow(&self) {
        self.allowed.store(1, Ordering::Relaxed);
    }

    pub fn count(&self, way: Way, bytes: usize) -> Result<(), Exhausted> {
        let bytes = bytes as u64;
        match way {
            Way::Out => self.sent.fetch_add(bytes, Ordering::Relaxed),
            Way::Back => self.received.fetch_add(bytes, Ordering::Relaxed),
        };
        if self.budget.used.fetch_add(bytes, Ordering::Relaxed) + bytes > limits::EGRESS_BYTES { Err(Exhausted) } else { Ok(()) }
    }
}

/// Seen from the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Out,
    Back,
}

impl Drop for Traffic {
    fn drop(&mut self) {
        let slot = self.slot.get_mut().ok().and_then(Option::take);
        if let Some(slot) = slot {
            slot.record(RunEvent::Egress {
                host: std::mem::take(&mut self.host),
                port: self.port,
                allowed: *self.allowed.get_mut() == 1,
                bytes_sent: *self.sent.get_mut(),
                bytes_received: *self.received.get_mut(),
            });
        }
    }
}

/// A body whose bytes are counted.
pub struct Counted<B> {
    body: B,
    traffic: Arc<Traffic>,
    way: Way,
}

impl<B> Counted<B> {
    pub fn new(body: B, traffic: Arc<Traffic>, way: Way) -> Self {
        Self { body, traffic, way }
    }
}

impl<B> HttpBody for Counted<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    type Data = Bytes;
    type Error = net::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, net::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else { return Poll::Pending };
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(|error| net::Error::RequestBody { source: Arc::new(error) })?;
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.traffic.count(self.way, bytes).map_err(|error| net::Error::RequestBody { source: Arc::new(error) })?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
