//! The one place where a run's error meets a status.

use domain::Code;
use runs::RunError;
use runs::preflight::PreflightError;

use super::{Problem, Violation};

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::NotFound(_) => Self::not_found(),
            RunError::AlreadyEnded { .. } => Self::new(Code::NotCancellable, "The run has already ended."),
            RunError::TooManyActive { limit } => {
                Self::new(Code::RunLimitReached, format!("The organization may have {limit} active runs and has as many.")).retry_after(5)
            }
            RunError::Store { source, .. } => source.into(),
        }
    }
}

impl From<PreflightError> for Problem {
    fn from(error: PreflightError) -> Self {
        match error {
            PreflightError::AgentNotFound(_) => {
                Self::new(Code::AgentNotFound, "The agent does not exist or is not installed in this application.")
            }
            PreflightError::NotReady(obstacles) => Self::listing(
                Code::RunNotReady,
                obstacles.into_iter().map(|obstacle| Violation::new(obstacle.pointer, obstacle.code, obstacle.message)).collect(),
            ),
            PreflightError::Store(source) => source.into(),
            PreflightError::Damaged(_) => Self::internal(&error),
        }
    }
}
