//! `log`: a line for those who follow the run.

use serde_json::Value;
use wire::run_event::{LogLevel, RunEvent};

use super::{Effect, text_of};

pub(super) fn line(arguments: &Value) -> Effect {
    let level = match text_of(arguments, "level") {
        "debug" => LogLevel::Debug,
        "warn" => LogLevel::Warn,
        "error" => LogLevel::Error,
        _ => LogLevel::Info,
    };
    let event = RunEvent::Log { level, message: text_of(arguments, "message").to_owned(), data: arguments.get("data").cloned() };
    Effect::done("Logged.", event)
}
