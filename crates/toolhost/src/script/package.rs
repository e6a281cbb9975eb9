//! One tool package: its current instance, and a new one when a call has spoiled the old.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::PackageName;
use wire::hands::{Call, ToolModule, ToolOutcome};

use crate::control::{CallControl, Stop};
use crate::host::calls::stopped_message;

use super::Surroundings;
use super::instance::{self, Event, Instance, Reply, Run};
use super::shared::Registered;

/// For the module's top level and its default export.
pub(super) const LOAD_TIME: Duration = Duration::from_secs(10);
/// How long after its deadline an instance may take to answer; then it is given up with its thread.
const GRACE: Duration = Duration::from_secs(2);

pub(super) struct Package {
    module: ToolModule,
    surroundings: Arc<Surroundings>,
    current: Mutex<Option<Instance>>,
}

/// A package whose module is being evaluated.
pub(super) struct Loading {
    answer: Result<Receiver<Result<Vec<Registered>, String>>, String>,
    until: Instant,
}

impl Loading {
    /// The tools that the module registered, or why it could not be loaded.
    pub(super) fn wait(self) -> Result<Vec<Registered>, String> {
        let wait = self.until.saturating_duration_since(Instant::now());
        match self.answer?.recv_timeout(wait) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(format!("loading took longer than {} s", LOAD_TIME.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err("the tool runtime failed while it loaded the package".to_owned()),
        }
    }
}

impl Package {
    /// Starts to load a package on its own thread.
    pub(super) fn start(module: ToolModule, surroundings: Arc<Surroundings>) -> (Self, Loading) {
        let started = instance::start(&module, &surroundings);
        let until = Instant::now() + LOAD_TIME + GRACE;
        let (current, answer) = match started {
            Ok((instance, answer)) => (Some(instance), Ok(answer)),
            Err(error) => (None, Err(format!("the tool runtime could not be started: {error}"))),
        };
        (Self { module, surroundings, current: Mutex::new(current) }, Loading { answer, until })
    }

    pub(super) fn name(&self) -> &PackageName {
        &self.module.package
    }

    /// Carries out one call, at most on two instances: the second when the first was spoiled before the call began.
    pub(super) fn call(&self, call: &Call, control: &Arc<CallControl>) -> ToolOutcome {
        for _ in 0..2 {
            let instance = match self.instance() {
                Ok(instance) => instance,
                Err(message) => return ToolOutcome::error(message),
            };
            match call_on(&instance, call, control) {
                Some(outcome) => return outcome,
                None => instance.spoil(),
            }
        }
        ToolOutcome::error("the tool's runtime could not be started again")
    }

    /// The instance that takes calls; loads a new one when there is none.
    fn instance(&self) -> Result<Instance, String> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(instance) = current.as_ref().filter(|instance| !instance.is_spoiled()) {
            return Ok(instance.clone());
        }
        let (instance, answer) =
            instance::start(&self.module, &self.surroundings).map_err(|error| format!("the tool runtime could not be started: {error}"))?;
        Loading { answer: Ok(answer), until: Instant::now() + LOAD_TIME + GRACE }.wait()?;
        *current = Some(instance.clone());
        Ok(instance)
    }
}

/// `None` when the instance ended before the call began.
fn call_on(instance: &Instance, call: &Call, control: &Arc<CallControl>) -> Option<ToolOutcome> {
    let (reply, answer) = channel();
    let started = Arc::new(AtomicBool::new(false));
    let run = Run {
        call: call.call,
        tool: call.tool.clone(),
        tool_call_id: call.tool_call_id.clone(),
        arguments: call.arguments.to_string(),
        control: Arc::clone(control),
        reply,
        started: Arc::clone(&started),
    };
    if !instance.send(Event::Run(run)) {
        return None;
    }
    let (wake, number) = (instance.clone(), call.call);
    control.on_cancel(move || {
        wake.send(Event::Cancel(number));
    });
    match await_reply(&answer, control) {
        Ok(Reply::Done(outcome)) => Some(outcome),
        Ok(Reply::NotStarted) => None,
        Err(RecvTimeoutError::Disconnected) if !started.load(Ordering::Acquire) => None,
        Err(RecvTimeoutError::Disconnected) => Some(ToolOutcome::error("the tool's runtime failed during the call")),
        Err(RecvTimeoutError::Timeout) => {
            // The thread is inside a native loop that no interrupt reaches; it ends with the process.
            instance.spoil();
            let stop = control.stopped().unwrap_or(Stop::TimedOut);
            Some(ToolOutcome::error(format!("{}; the tool did not stop", stopped_message(stop))))
        }
    }
}

/// Waits until the deadline and a little longer; from a cancellation on only that little.
fn await_reply(answer: &Receiver<Reply>, control: &CallControl) -> Result<Reply, RecvTimeoutError> {
    const LOOK: Duration = Duration::from_millis(500);
    let mut cancelled_at: Option<Instant> = None;
    loop {
        let limit = cancelled_at.unwrap_or_else(|| control.deadline()) + GRACE;
        let left = limit.saturating_duration_since(Instant::now());
        match answer.recv_timeout(left.min(LOOK)) {
            Err(RecvTimeoutError::Timeout) if left > LOOK => {
                if control.stopped() == Some(Stop::Cancelled) {
                    cancelled_at.get_or_insert_with(Instant::now);
                }
            }
            other => return other,
        }
    }
}
