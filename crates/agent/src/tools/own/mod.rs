//! The tools that the loop carries out itself, and what they leave behind for the run's outcome.

mod log;
mod memory;
mod output;
mod report;
mod state;

use serde_json::Value;
use wire::control::Outcome;
use wire::hands::ToolOutcome;
use wire::run_event::{Failure, FailureCode, RunEvent};
use wire::run_spec::RunSpec;

use self::memory::Memories;
use self::output::Output;
use self::report::Report;
use self::state::State;

/// Everything that own tools have left so far.
pub(crate) struct OwnTools {
    output: Output,
    report: Report,
    state: State,
    memories: Memories,
}

/// What a call came to: the answer to the model, and the event to commit before it.
pub(crate) struct Effect {
    pub(crate) outcome: ToolOutcome,
    pub(crate) event: Option<RunEvent>,
}

impl Effect {
    fn done(text: impl Into<String>, event: RunEvent) -> Self {
        Self { outcome: ToolOutcome::text(text), event: Some(event) }
    }

    fn refused(text: impl Into<String>) -> Self {
        Self { outcome: ToolOutcome::error(text), event: None }
    }
}

impl OwnTools {
    /// # Errors
    /// The output schema is none.
    pub(crate) fn new(spec: &RunSpec) -> Result<Self, Failure> {
        let output = Output::new(spec.output_schema.as_ref()).map_err(|problem| {
            Failure::new(FailureCode::PreparationFailed, format!("The agent's output schema cannot be used: {problem}."))
        })?;
        Ok(Self { output, report: Report::default(), state: State::default(), memories: Memories::new(&spec.memories) })
    }

    /// Carries out one call. `arguments` fit the tool's schema, except for `output`, whose data is checked after merging.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Effect {
        match tool {
            "output" => self.output.merge(arguments),
            "report" => self.report.append(arguments),
            "log" => log::line(arguments),
            "set_state" => self.state.set(arguments),
            "add_memory" => self.memories.add(arguments),
            other => Effect::refused(format!("The tool \"{other}\" is not one that the run itself carries out.")),
        }
    }

    /// What the output still lacks; `None` when the agent needs none or has a valid one.
    pub(crate) fn missing_output(&self) -> Option<String> {
        self.output.missing()
    }

    pub(crate) fn leave(self, outcome: &mut Outcome) {
        outcome.output = self.output.into_value();
        outcome.report = self.report.into_text();
        outcome.state = self.state.into_value();
        outcome.memories = self.memories.into_writes();
    }
}

/// A text argument; its presence was checked against the schema.
fn text_of<'a>(arguments: &'a Value, name: &str) -> &'a str {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
