//! The thread of one runtime: takes calls, turns the engine, keeps time.
//!
//! Every piece of work (a call's start, a timer, a fetch that ended) runs on the account of the call that caused it, so a deadline stops
//! the right one. A call that had to be stopped by force spoils the instance: it finishes what it has begun and ends; a new one takes over.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Instant;

use wire::hands::{ToolModule, ToolOutcome};

use crate::control::{CallControl, Stop};
use crate::host::calls::stopped_message;

use super::Surroundings;
use super::engine::{Engine, TurnEnd};
use super::http::{FetchError, Response};
use super::package::LOAD_TIME;
use super::shared::{Registered, Scope, Shared};

/// QuickJS bounds its own depth far below this; the rest is for Rust underneath it.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// One call for an instance.
pub(super) struct Run {
    pub(super) call: u64,
    pub(super) tool: String,
    pub(super) tool_call_id: String,
    /// JSON.
    pub(super) arguments: String,
    pub(super) control: Arc<CallControl>,
    pub(super) reply: Sender<Reply>,
    pub(super) started: Arc<AtomicBool>,
}

pub(super) enum Reply {
    Done(ToolOutcome),
    NotStarted,
}

pub(super) enum Event {
    Run(Run),
    Cancel(u64),
    Fetched { operation: u64, result: Result<Response, FetchError> },
}

/// A handle to a running instance.
#[derive(Clone)]
pub(super) struct Instance {
    events: Sender<Event>,
    spoiled: Arc<AtomicBool>,
}

impl Instance {
    /// `false` when the instance has ended.
    pub(super) fn send(&self, event: Event) -> bool {
        self.events.send(event).is_ok()
    }

    /// Takes no further calls.
    pub(super) fn spoil(&self) {
        self.spoiled.store(true, Ordering::Release);
    }

    pub(super) fn is_spoiled(&self) -> bool {
        self.spoiled.load(Ordering::Acquire)
    }
}

type Loaded = Receiver<Result<Vec<Registered>, String>>;

/// Starts an instance; the receiver tells the tools that the module registered.
pub(super) fn start(module: &ToolModule, surroundings: &Arc<Surroundings>) -> io::Result<(Instance, Loaded)> {
    let (events, inbox) = channel();
    let (loaded, answer) = channel();
    let instance = Instance { events: events.clone(), spoiled: Arc::default() };
    let spoiled = Arc::clone(&instance.spoiled);
    let (module, surroundings) = (module.clone(), Arc::clone(surroundings));
    thread::Builder::new().name(format!("js-{}", module.package.name())).stack_size(STACK_BYTES).spawn(move || {
        let load = Scope { call: None, control: Arc::new(CallControl::new(LOAD_TIME)) };
        let shared = Rc::new(Shared::new(surroundings, module.package.to_string(), events, load.clone()));
        let engine = match Engine::load(&module, &shared) {
            Ok(engine) => engine,
            Err(message) => {
                spoiled.store(true, Ordering::Release);
                // Whoever asked may have stopped waiting.
                let _unheard = loaded.send(Err(message));
                return;
            }
        };
        let mut worker = Loop { engine, shared, spoiled, active: HashMap::new() };
        let answer = worker.finish_load(&inbox, &load);
        let is_loaded = answer.is_ok();
        let _unheard = loaded.send(answer);
        if is_loaded {
            worker.serve(&inbox);
        }
        worker.end(&inbox);
    })?;
    Ok((instance, answer))
}

struct Loop {
    engine: Engine,
    shared: Rc<Shared>,
    spoiled: Arc<AtomicBool>,
    active: HashMap<u64, Run>,
}

impl Loop {
    /// Waits for the module's top level and its default export.
    fn finish_load(&mut self, inbox: &Receiver<Event>, scope: &Scope) -> Result<Vec<Registered>, String> {
        let deadline = scope.control.deadline();
        loop {
            // First: what was interrupted settles too, as an error that says less.
            if scope.control.stopped().is_some() {
                return Err(format!("loading took longer than {} s", LOAD_TIME.as_secs()));
            }
            let settled = std::mem::take(&mut *self.shared.settled.borrow_mut());
            if let Some((_, result)) = settled.into_iter().next() {
                self.shared.end_lines(None);
                return Engine::registered(&result?);
            }
            if self.shared.timers.borrow().is_empty() && self.shared.fetches.borrow().is_empty() {
                return Err("the entry module waits for something that never happens".to_owned());
            }
            let until = self.next_timer().map_or(deadline, |at| at.min(deadline));
            if let Ok(Event::Fetched { operation, result }) = inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
                self.shared.fetches.borrow_mut().remove(&operation);
                self.engine.fetched(scope.clone(), operation, result);
            }
            for operation in self.due_timers() {
                self.shared.timers.borrow_mut().remove(&operation);
                self.engine.timer(scope.clone(), operation);
            }
        }
    }

    fn serve(&mut self, inbox: &Receiver<Event>) {
        while !(self.spoiled.load(Ordering::Acquire) && self.active.is_empty()) {
            let wake = self.active.values().map(|run| run.control.deadline()).chain(self.next_timer()).min();
            let event = match wake {
                Some(at) => inbox.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(Event::Run(run)) => self.begin(run),
                Ok(Event::Cancel(call)) => self.stop(call, Stop::Cancelled),
                Ok(Event::Fetched { operation, result }) => {
                    let entry = self.shared.fetches.borrow_mut().remove(&operation);
                    if let Some((_, call)) = entry {
                        let scope = self.scope_of(call);
                        let end = self.engine.fetched(scope.clone(), operation, result);
                        self.after(&scope, end);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            for operation in self.due_timers() {
                // A timer that fired before may have cleared this one.
                let Some(timer) = self.shared.timers.borrow_mut().remove(&operation) else { continue };
                let scope = self.scope_of(timer.call);
                let end = self.engine.timer(scope.clone(), operation);
                self.after(&scope, end);
            }
            let over: Vec<_> = self.active.iter().filter_map(|(call, run)| Some((*call, run.control.stopped()?))).collect();
            for (call, stop) in over {
                self.stop(call, stop);
            }
            self.end_stalled();
        }
    }

    fn begin(&mut self, run: Run) {
        if self.spoiled.load(Ordering::Acquire) {
            answer(&run, Reply::NotStarted);
            return;
        }
        run.started.store(true, Ordering::Release);
        let scope = Scope { call: Some(run.call), control: Arc::clone(&run.control) };
        self.shared.names.borrow_mut().insert(run.call, run.tool.clone());
        let end = self.engine.invoke(scope.clone(), &run);
        self.active.insert(run.call, run);
        self.after(&scope, end);
    }

    /// Draws the conclusions from a turn: answers what has settled, and stops the call that ran out of time in it.
    fn after(&mut self, scope: &Scope, end: TurnEnd) {
        let settled = std::mem::take(&mut *self.shared.settled.borrow_mut());
        for (call, result) in settled {
            if let Some(run) = call.and_then(|call| self.active.remove(&call)) {
                let outcome = Engine::outcome(result);
                if outcome.is_error && is_out_of_memory(&outcome) {
                    self.spoil();
                }
                self.finish(&run, outcome);
            }
        }
        match end {
            TurnEnd::Idle => {}
            TurnEnd::Stopped | TurnEnd::Storm => {
                self.spoil();
                if let Some(call) = scope.call {
                    let stop = scope.control.stopped().unwrap_or(Stop::TimedOut);
                    self.stop(call, stop);
                }
                if matches!(end, TurnEnd::Storm) {
                    // Its endless jobs stand before everybody else's in the one queue of the runtime.
                    self.fail_all("the tool's runtime was stopped because another call of the same package ran without end");
                }
            }
        }
    }

    /// Ends a call by force; its `signal` aborts first, so that the tool can clean up.
    fn stop(&mut self, call: u64, stop: Stop) {
        let Some(run) = self.active.remove(&call) else { return };
        if stop == Stop::TimedOut {
            self.spoil();
        }
        let end = self.engine.abort(Scope { call: Some(call), ..Scope::background() }, call, stop);
        if !matches!(end, TurnEnd::Idle) {
            self.spoil();
        }
        // A result that the tool gave while it was being aborted comes too late.
        self.shared.settled.borrow_mut().retain(|(settled, _)| *settled != Some(call));
        for (abort, owner) in self.shared.fetches.borrow().values() {
            if *owner == Some(call) {
                abort.abort();
            }
        }
        let message = format!("{} in tool '{}'", stopped_message(stop), run.tool);
        self.finish(&run, ToolOutcome::error(message));
    }

    /// Calls whose promise nothing can settle any more end at once instead of at their deadline.
    fn end_stalled(&mut self) {
        let is_quiet = self.shared.timers.borrow().is_empty() && self.shared.fetches.borrow().is_empty();
        if self.active.is_empty() || !is_quiet || self.active.keys().any(|call| self.engine.awaits_abort(*call)) {
            return;
        }
        self.spoil();
        self.fail_all("the tool never finished: its promise waits for something that cannot happen any more");
    }

    fn fail_all(&mut self, message: &str) {
        for (_, run) in std::mem::take(&mut self.active) {
            self.finish(&run, ToolOutcome::error(message));
        }
    }

    fn finish(&self, run: &Run, outcome: ToolOutcome) {
        self.shared.end_lines(Some(run.call));
        self.shared.names.borrow_mut().remove(&run.call);
        answer(run, Reply::Done(outcome));
    }

    fn spoil(&self) {
        self.spoiled.store(true, Ordering::Release);
    }

    /// Work of a call that has ended goes on as nobody's.
    fn scope_of(&self, call: Option<u64>) -> Scope {
        match call.and_then(|call| self.active.get(&call)) {
            Some(run) => Scope { call, control: Arc::clone(&run.control) },
            None => Scope::background(),
        }
    }

    fn next_timer(&self) -> Option<Instant> {
        self.shared.timers.borrow().values().map(|timer| timer.at).min()
    }

    fn due_timers(&self) -> Vec<u64> {
        let now = Instant::now();
        let timers = self.shared.timers.borrow();
        let mut due: Vec<_> = timers.iter().filter(|(_, timer)| timer.at <= now).map(|(operation, timer)| (timer.at, *operation)).collect();
        due.sort_unstable();
        due.into_iter().map(|(_, operation)| operation).collect()
    }

    /// Sends back the calls that came too late.
    fn end(&mut self, inbox: &Receiver<Event>) {
        self.spoil();
        for (abort, _) in self.shared.fetches.borrow().values() {
            abort.abort();
        }
        for event in inbox.try_iter() {
            if let Event::Run(run) = event {
                answer(&run, Reply::NotStarted);
            }
        }
    }
}

fn answer(run: &Run, reply: Reply) {
    // The waiting side gives up a little after the deadline.
    let _unheard = run.reply.send(reply);
}

fn is_out_of_memory(outcome: &ToolOutcome) -> bool {
    outcome.content.iter().any(|block| matches!(block, wire::message::Block::Text { text } if text.contains("out of memory")))
}
