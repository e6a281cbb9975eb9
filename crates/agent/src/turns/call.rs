//! One model call: reserved, made, settled, and tried again where that helps.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::IdSource;
use wire::message::{AssistantMessage, StopReason, Usage};
use wire::run_event::{Failure, FailureCode, LogLevel, RunEvent};

use super::context::tokens_of_bytes;
use super::meter::{Meter, Spent};
use super::stop::Stop;
use super::{context, lost, retry};
use crate::model::{DeltaSink, ModelError, ModelErrorKind, TurnRequest};
use crate::port::{Journal, Ports};

/// What a call needs besides its request.
pub(super) struct Caller<'a> {
    pub(super) ports: Ports<'a>,
    pub(super) stop: &'a Stop<'a>,
    pub(super) meter: Meter<'a>,
    /// The model's name for the user.
    pub(super) label: &'a str,
}

/// A whole message.
pub(super) struct Answer {
    pub(super) message: AssistantMessage,
    pub(super) stop: StopReason,
    /// Counted or estimated tokens.
    pub(super) usage: Usage,
    /// Whether the provider counted them.
    pub(super) is_counted: bool,
    pub(super) duration: Duration,
}

/// Why there is no answer.
pub(super) enum CallError {
    /// The conversation must become shorter; the failure holds when it cannot.
    ContextTooLong(Failure),
    Failed(Failure),
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Caller<'_> {
    /// Makes a call that sends about `input_tokens`. `request.max_output_tokens` is lowered to what the run may still use.
    pub(super) async fn call(&mut self, request: TurnRequest<'_>, input_tokens: u64, shows_text: bool) -> Result<Answer, CallError> {
        let mut tries = 1;
        loop {
            let error = match self.attempt(request, input_tokens, shows_text).await? {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let failure = self.failure(&error, tries);
            let pause = match retry::delay(&error, tries, jitter(self.ports.ids)) {
                _ if error.kind == ModelErrorKind::ContextTooLong => return Err(CallError::ContextTooLong(failure)),
                Some(pause) if pause < self.stop.left() => pause,
                _ => return Err(CallError::Failed(failure)),
            };
            let message = format!(
                "The model call failed: {error}. Trying again in {:.1} s (try {} of {}).",
                pause.as_secs_f64(),
                tries + 1,
                retry::tries(error.kind)
            );
            let event = RunEvent::Log { level: LogLevel::Warn, message, data: None };
            self.ports.journal.commit(event).await.map_err(|error| lost(&error))?;
            tokio::select! {
                biased;
                failure = self.stop.requested() => return Err(CallError::Failed(failure)),
                () = self.ports.timer.sleep(pause) => {}
            }
            tries += 1;
        }
    }

    async fn attempt(
        &mut self,
        request: TurnRequest<'_>,
        input_tokens: u64,
        shows_text: bool,
    ) -> Result<Result<Answer, ModelError>, Failure> {
        self.stop.check()?;
        let reserved = self.meter.reserve(input_tokens, request.max_output_tokens).await?;
        let request = TurnRequest { max_output_tokens: reserved.max_output_tokens, ..request };
        let deltas = Deltas { journal: shows_text.then_some(self.ports.journal), bytes: AtomicU64::new(0) };
        let start = self.ports.timer.elapsed();
        let result = tokio::select! {
            biased;
            failure = self.stop.requested() => Err(failure),
            result = self.ports.model.turn(&request, &deltas) => Ok(result),
        };
        let seen = deltas.tokens();
        let result = match result {
            Ok(result) => result,
            Err(failure) => {
                self.meter.settle(&reserved, Spent::Estimated { reported: Usage::default(), output_tokens: seen }).await?;
                return Err(failure);
            }
        };
        match result {
            Ok(turn) => {
                let spent = match turn.usage {
                    Some(usage) => Spent::Reported(usage),
                    None => Spent::Estimated { reported: Usage::default(), output_tokens: context::tokens_of_assistant(&turn.message) },
                };
                let usage = self.meter.settle(&reserved, spent).await?;
                let duration = self.ports.timer.elapsed().saturating_sub(start);
                Ok(Ok(Answer { message: turn.message, stop: turn.stop, usage, is_counted: turn.usage.is_some(), duration }))
            }
            Err(error) => {
                let spent = match error.usage {
                    Some(reported) => Spent::Estimated { reported, output_tokens: seen },
                    None => Spent::Nothing,
                };
                self.meter.settle(&reserved, spent).await?;
                Ok(Err(error))
            }
        }
    }

    /// The failure that the run ends with when this error is the last word.
    fn failure(&self, error: &ModelError, tries: u32) -> Failure {
        let label = self.label;
        let (code, message) = match error.kind {
            ModelErrorKind::Authentication => (
                FailureCode::ModelAuthentication,
                format!("The model \"{label}\" refused its key: {error}. Check the model's provider key."),
            ),
            ModelErrorKind::Rejected => (FailureCode::ModelRejected, format!("The model \"{label}\" refused the request: {error}.")),
            ModelErrorKind::ContextTooLong => {
                (FailureCode::ModelRejected, format!("The conversation does not fit the context window of the model \"{label}\": {error}."))
            }
            ModelErrorKind::RateLimited | ModelErrorKind::Overloaded | ModelErrorKind::Server => {
                (FailureCode::ModelOverloaded, format!("The model \"{label}\" gave no answer in {tries} tries: {error}. Try again later."))
            }
            ModelErrorKind::Unreachable | ModelErrorKind::TimedOut => {
                (FailureCode::ModelUnreachable, format!("The model \"{label}\" could not be reached in {tries} tries: {error}."))
            }
            ModelErrorKind::Garbage => {
                (FailureCode::ModelMisbehaved, format!("The answers of the model \"{label}\" made no sense in {tries} tries: {error}."))
            }
        };
        Failure::new(code, message)
    }
}

/// A number from 0 to 1.
fn jitter(ids: &dyn IdSource) -> f64 {
    let mut bytes = [0; 4];
    ids.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

/// Passes text on and counts it.
struct Deltas<'a> {
    journal: Option<&'a dyn Journal>,
    bytes: AtomicU64,
}

impl Deltas<'_> {
    fn tokens(&self) -> u64 {
        tokens_of_bytes(self.bytes.load(Ordering::Relaxed))
    }
}

impl DeltaSink for Deltas<'_> {
    fn delta(&self, text: &str) {
        self.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        if let Some(journal) = self.journal {
            journal.delta(text);
        }
    }
}
