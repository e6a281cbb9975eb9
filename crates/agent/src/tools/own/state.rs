//! `set_state`: what the next run reads as Previous State.

use serde_json::Value;
use wire::run_event::RunEvent;

use super::Effect;

/// The largest state, as JSON, in bytes.
const MAX_STATE_BYTES: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct State(Option<Value>);

impl State {
    pub(super) fn set(&mut self, arguments: &Value) -> Effect {
        let Some(state) = arguments.get("state") else {
            return Effect::refused("Call `set_state` with one member, `state`.");
        };
        let length = state.to_string().len();
        if length > MAX_STATE_BYTES {
            return Effect::refused(format!(
                "The state is {length} bytes of JSON; at most {MAX_STATE_BYTES} are kept. The state before this call still holds. Keep cursors, not contents."
            ));
        }
        self.0 = Some(state.clone());
        Effect::done("The state is set.", RunEvent::StateSet { state: state.clone() })
    }

    pub(super) fn into_value(self) -> Option<Value> {
        self.0
    }
}
