//! Ends of calls, lines, partial results, timers, and what the run knows.

use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::{Ctx, Object};
use wire::message::Block;

use super::super::shared::{Shared, Timer};
use super::{fail, set};

/// `setTimeout` counts in a signed 32-bit number of milliseconds.
const MAX_DELAY_MS: f64 = 2_147_483_647.0;

pub(super) fn install(host: &Object<'_>, shared: &Rc<Shared>) -> rquickjs::Result<()> {
    let state = Rc::clone(shared);
    // The call's number as text: it may be larger than JavaScript's numbers are exact. None: the load.
    set(host, "settle", move |call: Option<String>, is_ok: bool, text: String| {
        let call = call.and_then(|call| call.parse().ok());
        state.settled.borrow_mut().push((call, if is_ok { Ok(text) } else { Err(text) }));
    })?;
    let state = Rc::clone(shared);
    set(host, "update", move |ctx: Ctx<'_>, call: String, content: String| -> rquickjs::Result<()> {
        let content: Vec<Block> =
            serde_json::from_str(&content).map_err(|error| fail(&ctx, &format!("the partial result is not valid: {error}")))?;
        if let Ok(call) = call.parse() {
            state.update(call, content);
        }
        Ok(())
    })?;
    let state = Rc::clone(shared);
    set(host, "write", move |text: String| state.write(&text))?;
    let state = Rc::clone(shared);
    set(host, "startTimer", move |delay_ms: f64| {
        let delay_ms = if delay_ms.is_finite() { delay_ms.clamp(0.0, MAX_DELAY_MS) } else { 0.0 };
        let (operation, call) = state.new_operation();
        let at = Instant::now() + Duration::from_secs_f64(delay_ms / 1000.0);
        state.timers.borrow_mut().insert(operation, Timer { at, call });
        operation
    })?;
    let state = Rc::clone(shared);
    set(host, "stopTimer", move |operation: u64| {
        state.timers.borrow_mut().remove(&operation);
    })?;
    let environment = Object::new(host.ctx().clone())?;
    for (name, value) in shared.surroundings.environment.iter() {
        environment.set(name.as_str(), value.as_str())?;
    }
    host.set("environment", environment)?;
    host.set("cwd", shared.surroundings.workspace.root().to_string_lossy().into_owned())
}
