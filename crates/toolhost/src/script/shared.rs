//! What the event loop, the interrupt handler and the native functions of one runtime share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use serde_json::Value;
use wire::hands::FromHands;
use wire::message::Block;

use crate::control::CallControl;
use crate::output::clip;

use super::Surroundings;
use super::http::{Abort, Routes};
use super::instance::Event;

/// Work that no call is responsible for (timers left behind) may hold the thread this long at a time.
const BACKGROUND_TURN: Duration = Duration::from_secs(1);
/// Bytes of lines that one call may send; they are for display.
const MAX_LINE_BYTES_PER_CALL: usize = 1024 * 1024;
const MAX_LINE: usize = 64 * 1024;

/// A tool as its module registered it.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) parameters: Value,
}

/// On whose account JavaScript is running.
#[derive(Clone)]
pub(super) struct Scope {
    /// `None` while the module loads and for work left behind.
    pub(super) call: Option<u64>,
    pub(super) control: Arc<CallControl>,
}

pub(super) struct Timer {
    pub(super) at: Instant,
    pub(super) call: Option<u64>,
}

/// A fetch under way, and the call that began it.
pub(super) type Fetch = (Arc<Abort>, Option<u64>);
/// An end: of which call (`None`: the load), and its JSON or error.
pub(super) type Settled = (Option<u64>, Result<String, String>);

/// Lines that a call has begun or sent.
#[derive(Default)]
struct Lines {
    open: String,
    sent: usize,
}

/// State that native functions reach through an `Rc`.
pub(super) struct Shared {
    pub(super) surroundings: Arc<Surroundings>,
    pub(super) package: String,
    pub(super) routes: Arc<Routes>,
    pub(super) events: Sender<Event>,
    pub(super) scope: RefCell<Scope>,
    pub(super) interrupted: Cell<bool>,
    pub(super) timers: RefCell<HashMap<u64, Timer>>,
    pub(super) fetches: RefCell<HashMap<u64, Fetch>>,
    /// Tool names of the calls under way, for the lines they write.
    pub(super) names: RefCell<HashMap<u64, String>>,
    /// Ends that JavaScript has reported in this turn.
    pub(super) settled: RefCell<Vec<Settled>>,
    next_operation: Cell<u64>,
    lines: RefCell<HashMap<Option<u64>, Lines>>,
}

impl Shared {
    pub(super) fn new(surroundings: Arc<Surroundings>, package: String, events: Sender<Event>, load: Scope) -> Self {
        let routes = Arc::new(Routes::from_environment(&surroundings.environment));
        Self {
            surroundings,
            package,
            routes,
            events,
            scope: RefCell::new(load),
            interrupted: Cell::default(),
            timers: RefCell::default(),
            fetches: RefCell::default(),
            names: RefCell::default(),
            settled: RefCell::default(),
            next_operation: Cell::default(),
            lines: RefCell::default(),
        }
    }

    /// A number for a timer or fetch, and the call it belongs to.
    pub(super) fn new_operation(&self) -> (u64, Option<u64>) {
        let number = self.next_operation.get() + 1;
        self.next_operation.set(number);
        (number, self.scope.borrow().call)
    }

    /// Whether the running code has to stop; asked by the interrupt handler and between jobs.
    pub(super) fn must_stop(&self) -> bool {
        let stop = self.scope.borrow().control.stopped().is_some();
        if stop {
            self.interrupted.set(true);
        }
        stop
    }

    /// Takes text written by `process.stdout` or `console`; whole lines go out at once.
    pub(super) fn write(&self, text: &str) {
        let call = self.scope.borrow().call;
        let mut lines = self.lines.borrow_mut();
        let state = lines.entry(call).or_default();
        let mut rest = text;
        while let Some((line, after)) = rest.split_once('\n') {
            let whole = std::mem::take(&mut state.open) + clip(line, MAX_LINE);
            self.send_line(state, call, &whole);
            rest = after;
        }
        let room = MAX_LINE.saturating_sub(state.open.len());
        state.open.push_str(clip(rest, room));
    }

    /// Sends the line that a call has begun and not ended, and forgets its count.
    pub(super) fn end_lines(&self, call: Option<u64>) {
        let ended = self.lines.borrow_mut().remove(&call);
        if let Some(mut state) = ended
            && !state.open.is_empty()
        {
            let open = std::mem::take(&mut state.open);
            self.send_line(&mut state, call, &open);
        }
    }

    /// Sends a partial result of a running call.
    pub(super) fn update(&self, call: u64, content: Vec<Block>) {
        // A partial result above the frame limit is not worth an error; the final one will be.
        let _fits = self.surroundings.outbox.send(&FromHands::Update { call, content });
    }

    fn send_line(&self, state: &mut Lines, call: Option<u64>, line: &str) {
        if state.sent > MAX_LINE_BYTES_PER_CALL {
            return;
        }
        state.sent += line.len() + 1;
        let tool = call.and_then(|call| self.names.borrow().get(&call).cloned()).unwrap_or_else(|| self.package.clone());
        let text = if state.sent > MAX_LINE_BYTES_PER_CALL { "[further lines of this call are not shown]" } else { line };
        self.surroundings.outbox.send(&FromHands::Line { tool, text: text.to_owned() });
    }
}

impl Scope {
    pub(super) fn background() -> Self {
        Self { call: None, control: Arc::new(CallControl::new(BACKGROUND_TURN)) }
    }
}
