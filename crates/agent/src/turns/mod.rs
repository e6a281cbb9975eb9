//! The loop of one run: model turn → tool calls → model turn …, until the model is done, a limit is reached or somebody stops it.
//!
//! Order of the record: `turn.completed` (whole message), then per call `tool.started` before it is carried out, the effect's own
//! event, `tool.completed` with the full result. What a run has kept is part of its outcome, whatever its end.

mod call;
mod compaction;
mod context;
mod dispatch;
mod meter;
mod repetition;
mod result;
mod retry;
mod stop;
mod toolbox;

use std::collections::HashSet;
use std::time::Duration;

use wire::control::Outcome;
use wire::message::{AssistantMessage, Block, Message, StopReason, ToolCall};
use wire::run_event::{Failure, FailureCode, RunEvent};
use wire::run_spec::RunSpec;

use self::call::{Answer, CallError, Caller};
use self::context::Context;
use self::dispatch::Dispatch;
use self::meter::Meter;
use self::repetition::{Repetition, Verdict};
use self::stop::Stop;
use self::toolbox::Toolbox;
use crate::cancel::Cancel;
use crate::model::{CacheMarkers, TurnRequest};
use crate::port::{PortLost, Ports};
use crate::tools::own::OwnTools;

/// Times that a model is reminded of its output.
const MAX_REMINDERS: u32 = 2;
/// Calls in one turn; no sensible model makes more.
const MAX_CALLS_PER_TURN: usize = 64;

/// Carries out a run and returns what it came to. `time_left` is real time from now.
///
/// The future must be driven to its end: ask for a stop with `cancel`, it returns within seconds.
pub async fn run(spec: &RunSpec, time_left: Duration, ports: &Ports<'_>, cancel: &Cancel) -> Outcome {
    let mut outcome = Outcome::default();
    let mut own = match OwnTools::new(spec) {
        Ok(own) => own,
        Err(failure) => return Outcome { failure: Some(failure), ..outcome },
    };
    let stop = Stop::after(time_left, ports.timer, cancel);
    let caller =
        Caller { ports: *ports, stop: &stop, meter: Meter::new(ports.ledger, &spec.model, &spec.limits), label: &spec.model.label };
    let mut turns = Turns { spec, caller, context: Context::new(spec), repetition: Repetition::default(), count: 0 };
    outcome.failure = turns.go_on_to_the_end(&mut own).await.err();
    outcome.usage = turns.caller.meter.usage();
    outcome.cost = turns.caller.meter.cost();
    own.leave(&mut outcome);
    outcome
}

/// The failure of a run whose record cannot be written any more.
fn lost(error: &PortLost) -> Failure {
    Failure::new(FailureCode::Internal, format!("The run could not be recorded any more: {error}."))
}

struct Turns<'a> {
    spec: &'a RunSpec,
    caller: Caller<'a>,
    context: Context,
    repetition: Repetition,
    /// Turns that were made.
    count: u32,
}

impl Turns<'_> {
    async fn go_on_to_the_end(&mut self, own: &mut OwnTools) -> Result<(), Failure> {
        let toolbox = Toolbox::new(&self.spec.tools);
        let dispatch = Dispatch {
            ports: self.caller.ports,
            stop: self.caller.stop,
            toolbox: &toolbox,
            tool_timeout: Duration::from_millis(self.spec.limits.tool_timeout_ms),
        };
        let mut reminders = 0;
        let mut was_cut = false;
        loop {
            let (calls, stop) = self.turn().await?;
            if !calls.is_empty() {
                was_cut = false;
                self.carry_out(&dispatch, own, &calls).await?;
                continue;
            }
            match stop {
                StopReason::Refused => return Err(Failure::new(FailureCode::ModelRejected, "The model refused to go on with this task.")),
                StopReason::Length if !was_cut => {
                    was_cut = true;
                    self.context
                        .say("Your answer reached the output limit and was cut. Go on where it ended, in shorter parts.".to_owned());
                    continue;
                }
                StopReason::Length | StopReason::End | StopReason::ToolCalls => {}
            }
            let Some(missing) = own.missing_output() else {
                return Ok(());
            };
            if reminders == MAX_REMINDERS {
                let message = format!("The agent ended without an output that fits its schema:\n{missing}");
                return Err(Failure::new(FailureCode::OutputMissing, message));
            }
            reminders += 1;
            self.context.say(format!("You stopped, but the output of this run is not complete. Call `output` now. Missing:\n{missing}"));
        }
    }

    /// One turn of the model, recorded. Returns the calls that it asks for and why it stopped.
    async fn turn(&mut self) -> Result<(Vec<ToolCall>, StopReason), Failure> {
        let limits = &self.spec.limits;
        if self.count >= limits.max_turns {
            return Err(Failure::new(FailureCode::TurnLimit, format!("The run has reached its limit of {} turns.", limits.max_turns)));
        }
        if compaction::is_due(self.context.tokens(), self.spec.model.context_window) {
            self.compact(false).await?;
        }
        let answer = match self.ask().await {
            Err(CallError::ContextTooLong(_)) => {
                self.compact(true).await?;
                self.ask().await
            }
            result => result,
        };
        let answer = answer.map_err(|error| match error {
            CallError::ContextTooLong(failure) | CallError::Failed(failure) => failure,
        })?;
        self.count += 1;
        let mut message = answer.message;
        make_ids_unique(&mut message, self.count);
        let event = RunEvent::TurnCompleted {
            turn: self.count,
            message: message.clone(),
            usage: answer.usage,
            stop: answer.stop,
            duration_ms: u64::try_from(answer.duration.as_millis()).unwrap_or(u64::MAX),
        };
        self.caller.ports.journal.commit(event).await.map_err(|error| lost(&error))?;
        if message.tool_calls.len() > MAX_CALLS_PER_TURN {
            let message =
                format!("The model asked for {} tool calls in one turn; {MAX_CALLS_PER_TURN} are allowed.", message.tool_calls.len());
            return Err(Failure::new(FailureCode::ModelMisbehaved, message));
        }
        let calls = message.tool_calls.clone();
        self.context.add_turn(message, answer.is_counted.then_some(answer.usage));
        Ok((calls, answer.stop))
    }

    async fn ask(&mut self) -> Result<Answer, CallError> {
        let messages = self.context.messages();
        let last_user = messages.iter().rposition(|message| !matches!(message, Message::Assistant(_)));
        let request = TurnRequest {
            system: &self.spec.prompt.system,
            messages,
            tools: &self.spec.tools,
            max_output_tokens: self.spec.model.max_output_tokens,
            cache: CacheMarkers { system: true, messages: last_user.as_slice() },
        };
        self.caller.call(request, self.context.tokens(), true).await
    }

    async fn carry_out(&mut self, dispatch: &Dispatch<'_>, own: &mut OwnTools, calls: &[ToolCall]) -> Result<(), Failure> {
        let carried = dispatch.carry_out(own, calls).await?;
        self.caller.stop.check()?;
        let accepts_images = self.spec.model.accepts_images;
        let mut results = Vec::with_capacity(calls.len());
        let mut verdict = (Verdict::Fine, "");
        for (call, carried) in calls.iter().zip(&carried) {
            verdict = verdict.max((self.repetition.observe(call, &carried.outcome), &call.name));
            results.push(result::for_model(call, &carried.outcome, carried.is_platform, accepts_images));
        }
        self.context.add_results(results);
        match verdict {
            (Verdict::Fine, _) => Ok(()),
            (Verdict::Nudge, tool) => {
                self.context.say(format!(
                    "You have called `{tool}` with the same arguments and the same result several times. \
                     Another repetition will not change it: try something else, or finish with what you have."
                ));
                Ok(())
            }
            (Verdict::GiveUp, tool) => {
                let message = format!("The model kept calling `{tool}` with the same arguments and the same result.");
                Err(Failure::new(FailureCode::ModelMisbehaved, message))
            }
        }
    }

    /// Makes the conversation shorter, with one model call for the summary. `is_refused`: the provider found it too long.
    async fn compact(&mut self, is_refused: bool) -> Result<(), Failure> {
        let window = self.spec.model.context_window;
        let before = self.context.tokens();
        let messages = self.context.messages().to_vec();
        if let Some(parts) = compaction::split(&messages, window).filter(|parts| parts.is_worth_a_summary(window)) {
            let summary = self.summarize(&parts).await?;
            self.context.replace(compaction::join(&parts, &summary));
        }
        if is_refused || compaction::is_due(self.context.tokens(), window) {
            self.context.replace(compaction::shrink_results(self.context.messages()));
        }
        if self.context.messages() == messages {
            return Ok(());
        }
        let event = RunEvent::ContextCompacted { tokens_before: before, tokens_after: self.context.tokens() };
        self.caller.ports.journal.commit(event).await.map_err(|error| lost(&error))
    }

    async fn summarize(&mut self, parts: &compaction::Parts<'_>) -> Result<String, Failure> {
        let model = &self.spec.model;
        let text = compaction::transcript(parts, model.context_window);
        let tokens = context::tokens_of_text(compaction::SYSTEM) + context::tokens_of_text(&text);
        let messages = [Message::User { content: vec![Block::Text { text }] }];
        let request = TurnRequest {
            system: compaction::SYSTEM,
            messages: &messages,
            tools: &[],
            max_output_tokens: model.max_output_tokens.min(compaction::MAX_SUMMARY_TOKENS),
            cache: CacheMarkers::default(),
        };
        let answer = self.caller.call(request, tokens, false).await.map_err(|error| match error {
            CallError::ContextTooLong(failure) | CallError::Failed(failure) => failure,
        })?;
        if answer.message.text.trim().is_empty() {
            let message = "The conversation grew too long, and the model gave no summary of it.";
            return Err(Failure::new(FailureCode::ModelMisbehaved, message));
        }
        Ok(answer.message.text)
    }
}

/// Gives every call an id of its own: some servers send none, or the same twice.
fn make_ids_unique(message: &mut AssistantMessage, turn: u32) {
    let mut seen = HashSet::new();
    for (position, call) in message.tool_calls.iter_mut().enumerate() {
        if call.id.is_empty() || !seen.insert(call.id.clone()) {
            call.id = format!("call_{turn}_{position}");
            seen.insert(call.id.clone());
        }
    }
}

#[cfg(test)]
mod tests;
