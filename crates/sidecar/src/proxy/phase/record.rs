//! Phase 7: the event. One per request, whatever its end, without any credential.

use std::sync::Arc;

use bytes::Bytes;
use domain::{Clock, PackageName, Timestamp};
use futures::StreamExt as _;
use http::StatusCode;
use wire::run_event::{ProviderCalled, RunEvent};

use crate::proxy::context::ProviderResponse;
use crate::proxy::refusal::Refusal;
use crate::recorder::Slot;

/// The event in the making; written when it is dropped, so that a caller who goes away is recorded too.
#[derive(Debug)]
pub struct Trace {
    slot: Option<Slot>,
    clock: Arc<dyn Clock>,
    start: Timestamp,
    event: ProviderCalled,
}

impl Trace {
    pub fn begin(slot: Slot, clock: Arc<dyn Clock>, provider: PackageName, method: String) -> Self {
        let event = ProviderCalled {
            provider,
            method,
            host: String::new(),
            path: String::new(),
            status: None,
            error: None,
            bytes_sent: 0,
            bytes_received: 0,
            duration_ms: 0,
        };
        Self { slot: Some(slot), start: clock.now(), clock, event }
    }

    pub fn target(&mut self, host: &str, path: String) {
        host.clone_into(&mut self.event.host);
        self.event.path = path;
    }

    pub fn sent(&mut self, bytes: usize) {
        self.event.bytes_sent = bytes as u64;
    }

    pub fn refused(&mut self, refusal: &Refusal) {
        self.event.error = Some(format!("{}: {refusal}", refusal.code()));
    }

    fn received(&mut self, piece: &Result<Bytes, net::Error>) {
        match piece {
            Ok(bytes) => self.event.bytes_received += bytes.len() as u64,
            Err(error) => self.event.error = Some(format!("interrupted: {error}")),
        }
    }

    fn answered(&mut self, status: StatusCode) {
        self.event.status = Some(status.as_u16());
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let elapsed = self.clock.now().signed_duration_since(self.start).num_milliseconds();
        self.event.duration_ms = u64::try_from(elapsed).unwrap_or(0);
        if let Some(slot) = self.slot.take() {
            slot.record(RunEvent::ProviderCalled(self.event.clone()));
        }
    }
}

/// Lets the event follow the body to its end.
pub fn run(mut trace: Trace, response: ProviderResponse) -> ProviderResponse {
    trace.answered(response.status);
    let body = response.body.map(move |piece| {
        // Through a method, so that the closure owns the whole trace and drops it with the body.
        trace.received(&piece);
        piece
    });
    ProviderResponse { body: body.boxed(), ..response }
}
