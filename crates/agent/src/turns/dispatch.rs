//! The tool calls of one turn: checked, recorded, carried out side by side, in order where files change.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use wire::hands::ToolOutcome;
use wire::message::ToolCall;
use wire::run_event::{Failure, FailureCode, RunEvent};
use wire::run_spec::{ToolCarrier, ToolSpec};

use super::lost;
use super::stop::Stop;
use super::toolbox::Toolbox;
use crate::cancel::Cancel;
use crate::port::{HandCall, Ports};
use crate::tools::own::OwnTools;

/// Calls that run at once.
const PARALLEL_CALLS: usize = 8;
/// Time that a call has to end after it was told to, or beyond its timeout.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Dispatch<'a> {
    pub(super) ports: Ports<'a>,
    pub(super) stop: &'a Stop<'a>,
    pub(super) toolbox: &'a Toolbox<'a>,
    pub(super) tool_timeout: Duration,
}

/// What became of a call.
pub(super) struct Carried {
    pub(super) outcome: ToolOutcome,
    /// Whether the text is the platform's own.
    pub(super) is_platform: bool,
}

/// A call on its way, with its position among the calls of the turn.
#[derive(Clone, Copy)]
struct Job<'c> {
    position: usize,
    call: &'c ToolCall,
    tool: &'c ToolSpec,
}

type Done = Vec<(usize, Carried)>;

impl Dispatch<'_> {
    /// Carries out all calls of a turn and returns what became of them, in their order.
    ///
    /// # Errors
    /// The run must end: it was stopped, the hands are lost, or its record is.
    pub(super) async fn carry_out(&self, own: &mut OwnTools, calls: &[ToolCall]) -> Result<Vec<Carried>, Failure> {
        let (mut for_loop, mut for_host, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for (position, call) in calls.iter().enumerate() {
            match self.toolbox.check(call) {
                Err(problem) => for_loop.push((position, call, Err(problem))),
                Ok(tool) => match tool.carrier {
                    ToolCarrier::Loop => for_loop.push((position, call, Ok(tool))),
                    ToolCarrier::Host => for_host.push(Job { position, call, tool }),
                    ToolCarrier::Sidecar | ToolCarrier::Package { .. } => others.push(Job { position, call, tool }),
                },
            }
        }
        // Requested by the lane that fails, so that the others end soon.
        let abort = Cancel::new();
        let (own_done, host_done, others_done) = tokio::join!(
            abort_on_error(self.own_lane(own, for_loop), &abort),
            abort_on_error(self.host_lane(&for_host, &abort), &abort),
            abort_on_error(self.side_by_side(&others, &abort), &abort),
        );
        // The first failure is the cause of the others.
        if let Some(failure) = abort.reason() {
            return Err(failure.clone());
        }
        let mut done: Vec<_> = own_done?.into_iter().chain(host_done?).chain(others_done?).collect();
        done.sort_by_key(|(position, _)| *position);
        Ok(done.into_iter().map(|(_, carried)| carried).collect())
    }

    /// The loop's own tools, and calls that are refused: one after another.
    async fn own_lane(&self, own: &mut OwnTools, jobs: Vec<(usize, &ToolCall, Result<&ToolSpec, String>)>) -> Result<Done, Failure> {
        let mut done = Vec::with_capacity(jobs.len());
        for (position, call, checked) in jobs {
            self.started(call).await?;
            let outcome = match checked {
                Err(problem) => ToolOutcome::error(problem),
                Ok(tool) => {
                    let effect = own.call(&tool.name, &call.arguments);
                    if let Some(event) = effect.event {
                        self.commit(event).await?;
                    }
                    effect.outcome
                }
            };
            self.completed(call, &outcome, Duration::ZERO).await?;
            done.push((position, Carried { outcome, is_platform: true }));
        }
        Ok(done)
    }

    /// Host tools: those that only read run side by side, one that may change files waits for all before it and runs alone.
    async fn host_lane(&self, jobs: &[Job<'_>], abort: &Cancel) -> Result<Done, Failure> {
        let mut done = Vec::with_capacity(jobs.len());
        for group in jobs.chunk_by(|one, next| !may_change_files(one.tool) && !may_change_files(next.tool)) {
            done.extend(self.side_by_side(group, abort).await?);
        }
        Ok(done)
    }

    async fn side_by_side(&self, jobs: &[Job<'_>], abort: &Cancel) -> Result<Done, Failure> {
        let mut going = FuturesUnordered::new();
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            if going.len() == PARALLEL_CALLS
                && let Some(ended) = going.next().await
            {
                keep(ended, &mut done, abort);
            }
            going.push(self.hand(*job, abort));
        }
        // Also after a failure: calls that are going have their time to end.
        while let Some(ended) = going.next().await {
            keep(ended, &mut done, abort);
        }
        abort.reason().map_or(Ok(done), |failure| Err(failure.clone()))
    }

    /// One call in other hands, from its first event to its last.
    async fn hand(&self, job: Job<'_>, abort: &Cancel) -> Result<(usize, Carried), Failure> {
        self.stop.check()?;
        if let Some(failure) = abort.reason() {
            return Err(failure.clone());
        }
        self.started(job.call).await?;
        let start = self.ports.timer.elapsed();
        let outcome = self.await_hands(job, abort).await?;
        let duration = self.ports.timer.elapsed().saturating_sub(start);
        self.completed(job.call, &outcome, duration).await?;
        Ok((job.position, Carried { outcome, is_platform: false }))
    }

    async fn await_hands(&self, job: Job<'_>, abort: &Cancel) -> Result<ToolOutcome, Failure> {
        let timer = self.ports.timer;
        let timeout = self.timeout_of(job);
        let call = HandCall { tool: job.tool, tool_call_id: &job.call.id, arguments: &job.call.arguments, timeout };
        let cancel = CancellationToken::new();
        let mut work = self.ports.hands.call(&call, &cancel);
        let reason = tokio::select! {
            biased;
            outcome = &mut work => return outcome.map_err(|lost| Failure::new(FailureCode::SandboxFailed, lost.0)),
            _failure = self.stop.requested() => "The call was given up because the run ends.".to_owned(),
            _failure = abort.requested() => "The call was given up because the run ends.".to_owned(),
            () = timer.sleep(timeout + GRACE) => format!("The call did not end within {} seconds and was given up.", timeout.as_secs()),
        };
        cancel.cancel();
        tokio::select! {
            biased;
            outcome = &mut work => outcome.map_err(|lost| Failure::new(FailureCode::SandboxFailed, lost.0)),
            () = timer.sleep(GRACE) => Ok(ToolOutcome::error(reason)),
        }
    }

    /// `bash` may ask for its own time; nothing outlives the run.
    fn timeout_of(&self, job: Job<'_>) -> Duration {
        let asked = (job.tool.carrier == ToolCarrier::Host && job.tool.name == "bash")
            .then(|| job.call.arguments.get("timeout").and_then(Value::as_f64))
            .flatten()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        asked.unwrap_or(self.tool_timeout).min(self.stop.left())
    }

    async fn started(&self, call: &ToolCall) -> Result<(), Failure> {
        let ToolCall { id, name, arguments } = call.clone();
        self.commit(RunEvent::ToolStarted { tool_call_id: id, tool: name, arguments }).await
    }

    async fn completed(&self, call: &ToolCall, outcome: &ToolOutcome, duration: Duration) -> Result<(), Failure> {
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let event =
            RunEvent::ToolCompleted { tool_call_id: call.id.clone(), tool: call.name.clone(), outcome: outcome.clone(), duration_ms };
        self.commit(event).await
    }

    async fn commit(&self, event: RunEvent) -> Result<(), Failure> {
        self.ports.journal.commit(event).await.map_err(|error| lost(&error))
    }
}

fn may_change_files(tool: &ToolSpec) -> bool {
    matches!(tool.name.as_str(), "bash" | "write" | "edit")
}

/// Keeps what a call came to; a failure asks all other calls to end.
fn keep(ended: Result<(usize, Carried), Failure>, done: &mut Done, abort: &Cancel) {
    match ended {
        Ok(carried) => done.push(carried),
        Err(failure) => abort.request(failure),
    }
}

async fn abort_on_error(lane: impl Future<Output = Result<Done, Failure>>, abort: &Cancel) -> Result<Done, Failure> {
    lane.await.inspect_err(|failure| abort.request(failure.clone()))
}
