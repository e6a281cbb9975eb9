//! What the loop needs from outside, as traits: whoever runs it (the sidecar, a test) passes implementations.

use std::time::Duration;

use async_trait::async_trait;
use domain::{IdSource, NanoUsd};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use wire::control::LedgerState;
use wire::hands::ToolOutcome;
use wire::message::Usage;
use wire::run_event::RunEvent;
use wire::run_spec::ToolSpec;

use crate::model::Model;

/// Everything that [`crate::run`] works with.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    pub model: &'a dyn Model,
    pub hands: &'a dyn Hands,
    pub journal: &'a dyn Journal,
    pub ledger: &'a dyn Ledger,
    pub timer: &'a dyn Timer,
    /// Jitter of retries comes from here.
    pub ids: &'a dyn IdSource,
}

/// Carries out the tool calls that are not the loop's own: carriers `Sidecar`, `Host` and `Package`.
#[async_trait]
pub trait Hands: Send + Sync {
    /// Carries out one call. Several run at once; two calls that change files never do.
    ///
    /// A call that goes wrong (exit code, exception, its own timeout, a tool that could not be loaded) is an `Ok` outcome with
    /// `is_error`, so that the model can react. When `cancel` fires, the call must be given up and answered soon with an error
    /// outcome; the loop waits five seconds for it, then drops the future. The loop also drops it five seconds after `timeout`.
    ///
    /// # Errors
    /// Only when no further call of this kind can work; the run ends with `sandbox_failed`.
    async fn call(&self, call: &HandCall<'_>, cancel: &CancellationToken) -> Result<ToolOutcome, HandsLost>;
}

/// One tool call for [`Hands`]. Its arguments fit the tool's schema.
#[derive(Clone, Copy, Debug)]
pub struct HandCall<'a> {
    pub tool: &'a ToolSpec,
    /// The id that the model gave the call.
    pub tool_call_id: &'a str,
    pub arguments: &'a Value,
    /// Time for this call: the run's default, or what the call asks for (`bash`), never beyond the run's end.
    pub timeout: Duration,
}

/// The sandbox could not be started or has died. The text is for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HandsLost(pub String);

/// The record of the run.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Returns once the event is committed. Calls may come from several tasks of one run at once; each caller's own order holds.
    async fn commit(&self, event: RunEvent) -> Result<(), PortLost>;

    /// Shows text while the model produces it; never stored. Must not block.
    fn delta(&self, text: &str);
}

/// Money, counted before it is spent.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Returns once the reservation is committed. `entry` counts up from 1 within the run.
    async fn open(&self, entry: u64, reserved: NanoUsd) -> Result<(), PortLost>;

    /// Closes the entry; every opened entry is settled exactly once before the run returns, whatever its end, unless the port is lost.
    async fn settle(&self, entry: u64, settlement: Settlement) -> Result<(), PortLost>;
}

/// What a model call did cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    pub usage: Usage,
    pub cost: NanoUsd,
    pub state: LedgerState,
}

/// The other side of a port is gone; the run cannot be recorded any more and ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PortLost(pub String);

/// Monotonic time. Tests pass one whose sleeps end at once.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Time since any fixed moment before the run.
    fn elapsed(&self) -> Duration;

    /// Returns after `duration`. Cancel-safe.
    async fn sleep(&self, duration: Duration);
}

/// Time of the tokio runtime.
#[derive(Clone, Copy, Debug)]
pub struct TokioTimer {
    start: tokio::time::Instant,
}

impl TokioTimer {
    pub fn start() -> Self {
        Self { start: tokio::time::Instant::now() }
    }
}

#[async_trait]
impl Timer for TokioTimer {
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
