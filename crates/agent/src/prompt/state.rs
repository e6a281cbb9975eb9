//! `## Previous State`: what the last run left for this one.

use serde_json::Value;

use super::data;

pub(super) fn section(state: Option<&Value>) -> Option<String> {
    let state = state?;
    Some(format!(
        "## Previous State\n\nThe previous run left this state. To leave one for the next run, use `set_state`.\n\n{}",
        data::block("previous-state", &format!("{state:#}"))
    ))
}
