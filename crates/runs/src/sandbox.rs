//! The sandbox of one run: started when the sidecar asks, handed over by descriptors, watched, and taken down.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sandbox::{Exit, ExitCause, Sandbox, SandboxError, SandboxSpec, Started, ToolhostImage};
use tokio::time::Instant;
use wire::run_spec::RunSpec;

/// How long a run that ends waits for a sandbox that is just being started.
const START_WITHIN: Duration = Duration::from_secs(10);

/// Where sandboxes come from.
#[derive(Clone)]
pub struct SandboxSource {
    pub sandbox: Arc<dyn Sandbox>,
    pub toolhost: Arc<ToolhostImage>,
}

/// The place of a run's one sandbox.
pub(crate) enum Seat {
    /// Nobody has asked yet.
    Empty,
    Starting(BoxFuture<'static, Outcome>),
    Standing(sandbox::Handle),
    /// It could not be started, or is gone.
    Over,
}

/// What a start came to, and how long it took.
pub(crate) type Outcome = (Result<Started, SandboxError>, Duration);

/// What has happened in the seat.
pub(crate) enum SeatEvent {
    /// The three descriptors go to the sidecar: tool socket, credential proxy, forward proxy.
    Started {
        descriptors: [OwnedFd; 3],
        duration: Duration,
    },
    NotStarted(String),
    /// It ended by itself.
    Died(Exit),
}

impl Seat {
    /// Begins to start the sandbox. `false`: it was asked for before.
    pub(crate) fn start(&mut self, source: &SandboxSource, spec: &RunSpec) -> bool {
        if !matches!(self, Self::Empty) {
            return false;
        }
        let spec = SandboxSpec::new(spec.run.to_string(), spec.limits.sandbox.clone(), Arc::clone(&source.toolhost));
        let sandbox = Arc::clone(&source.sandbox);
        *self = Self::Starting(Box::pin(async move {
            let begin = Instant::now();
            let started = sandbox.start(spec).await;
            (started, begin.elapsed())
        }));
        true
    }

    /// Waits for the next thing to happen; for ever, if nothing can. Cancel-safe.
    pub(crate) async fn next(&mut self) -> SeatEvent {
        match self {
            Self::Starting(starting) => {
                let (started, duration) = starting.await;
                match started {
                    Ok(Started { tools, proxy, forward, handle }) => {
                        *self = Self::Standing(handle);
                        SeatEvent::Started { descriptors: [tools, proxy, forward], duration }
                    }
                    Err(error) => {
                        *self = Self::Over;
                        SeatEvent::NotStarted(described(&error))
                    }
                }
            }
            Self::Standing(handle) => {
                let exit = handle.wait().await;
                *self = Self::Over;
                SeatEvent::Died(exit)
            }
            Self::Empty | Self::Over => std::future::pending().await,
        }
    }

    /// Takes the sandbox down and waits until nothing of it is left.
    pub(crate) async fn clear(&mut self) {
        // A start that is under way goes on to its handle, which knows how to take everything down and tells when that is done.
        if let Self::Starting(starting) = self {
            let started = tokio::time::timeout(START_WITHIN, starting).await;
            *self = match started {
                Ok((Ok(started), _)) => Self::Standing(started.handle),
                Ok((Err(_), _)) | Err(_) => Self::Over,
            };
        }
        if let Self::Standing(handle) = self {
            handle.kill();
            handle.wait().await;
        }
        *self = Self::Over;
    }
}

/// The error with its causes, for the record of the run.
fn described(error: &SandboxError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Why the sandbox is gone, for people.
pub(crate) fn cause(exit: &Exit) -> String {
    match exit.cause {
        ExitCause::Finished { code } => format!("The tool host in the sandbox ended with code {code}."),
        ExitCause::Signaled { signal } => format!("The tool host in the sandbox was ended by signal {signal}."),
        ExitCause::OutOfMemory => "The sandbox was out of memory.".to_owned(),
        ExitCause::Killed => "The sandbox was taken down.".to_owned(),
        ExitCause::Lost => "The sandbox vanished.".to_owned(),
    }
}
