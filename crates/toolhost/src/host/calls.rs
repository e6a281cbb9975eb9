//! The calls under way: one thread each, one `Done` each, whatever happens inside.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use wire::hands::{Call, ToolOutcome};

use crate::control::{CallControl, Stop};
use crate::files;
use crate::shell;

use super::{Host, HostError};

/// Calls at the same time; a model turn asks for far fewer.
const MAX_CALLS: usize = 64;
/// The longest time a call may be given; keeps the deadline arithmetic in range.
const MAX_TIME: Duration = Duration::from_hours(24);

/// How long after its deadline a call may take to notice; then it is answered without it.
const GRACE: Duration = Duration::from_secs(10);

pub(super) struct Calls {
    host: Arc<Host>,
    default_timeout_ms: u64,
    running: Arc<Running>,
}

/// Whoever takes a call out of the map answers it; nobody else does.
#[derive(Default)]
struct Running {
    calls: Mutex<HashMap<u64, Arc<CallControl>>>,
    started: Condvar,
}

impl Calls {
    pub(super) fn new(host: Arc<Host>, default_timeout_ms: u64) -> Result<Self, HostError> {
        let running = Arc::new(Running::default());
        let (watched, outbox) = (Arc::clone(&running), Arc::clone(&host.outbox));
        let watch = move || loop {
            for stuck in watched.stuck() {
                outbox.done(stuck, ToolOutcome::error("the call timed out and did not stop"));
            }
        };
        thread::Builder::new().name("watchdog".to_owned()).spawn(watch).map_err(HostError::Thread)?;
        Ok(Self { host, default_timeout_ms, running })
    }

    /// Starts a call on its own thread.
    pub(super) fn start(&self, call: Call) -> Result<(), HostError> {
        let bound = call.timeout_ms.map(Duration::from_millis).or_else(|| shell::asked_time(&call));
        let time = bound.unwrap_or(Duration::from_millis(self.default_timeout_ms)).min(MAX_TIME);
        let control = Arc::new(CallControl::new(time));
        {
            let mut running = self.running.calls.lock().unwrap_or_else(PoisonError::into_inner);
            let full = running.len() >= MAX_CALLS;
            match running.entry(call.call) {
                Entry::Occupied(_) => return Err(HostError::Protocol("a call number was used twice")),
                Entry::Vacant(_) if full => {
                    drop(running);
                    self.host.outbox.done(call.call, ToolOutcome::error(format!("too many calls at once: at most {MAX_CALLS}")));
                    return Ok(());
                }
                Entry::Vacant(free) => {
                    free.insert(Arc::clone(&control));
                    self.running.started.notify_one();
                }
            }
        }
        let number = call.call;
        let (host, running) = (Arc::clone(&self.host), Arc::clone(&self.running));
        let started = thread::Builder::new().name(format!("call-{number}")).spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| carry_out(&host, call, &control)))
                .unwrap_or_else(|_| ToolOutcome::error("the tool host failed while it carried out this call"));
            if running.take(number).is_some() {
                host.outbox.done(number, outcome);
            }
        });
        if let Err(error) = started
            && self.running.take(number).is_some()
        {
            self.host.outbox.done(number, ToolOutcome::error(format!("the call could not be started: {error}")));
        }
        Ok(())
    }

    /// Gives up a call. One that has ended meanwhile has had its answer.
    pub(super) fn cancel(&self, call: u64) {
        let control = self.running.calls.lock().unwrap_or_else(PoisonError::into_inner).get(&call).cloned();
        if let Some(control) = control {
            control.cancel();
        }
    }
}

impl Running {
    fn take(&self, call: u64) -> Option<Arc<CallControl>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&call)
    }

    /// Waits a moment (as long as there is no call at all), then takes out the calls that are far beyond their deadline.
    fn stuck(&self) -> Vec<u64> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        while calls.is_empty() {
            calls = self.started.wait(calls).unwrap_or_else(PoisonError::into_inner);
        }
        let soonest = calls.values().map(|control| control.deadline() + GRACE).min().unwrap_or_else(Instant::now);
        let wait = soonest.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            // A call that starts meanwhile with a nearer deadline wakes this up.
            let (woken, _) = self.started.wait_timeout(calls, wait).unwrap_or_else(PoisonError::into_inner);
            calls = woken;
        }
        let now = Instant::now();
        let stuck: Vec<u64> = calls.iter().filter(|(_, control)| control.deadline() + GRACE <= now).map(|(call, _)| *call).collect();
        for call in &stuck {
            calls.remove(call);
        }
        stuck
    }
}

/// Loaded tools cannot shadow the built-in ones: their names are refused at load.
fn carry_out(host: &Host, call: Call, control: &Arc<CallControl>) -> ToolOutcome {
    if call.tool == shell::NAME {
        return host.shell.run(&host.workspace, call, control);
    }
    if let Some(tool) = files::find_tool(&call.tool) {
        return tool(&host.workspace, call.arguments, control).unwrap_or_else(files::FileError::into_outcome);
    }
    host.packages.call(&call, control)
}

/// What a call that was stopped says about itself.
pub(crate) fn stopped_message(stop: Stop) -> &'static str {
    match stop {
        Stop::Cancelled => "the call was cancelled",
        Stop::TimedOut => "the call timed out",
    }
}
