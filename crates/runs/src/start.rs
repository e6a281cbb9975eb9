//! Accepting a run that preflight has prepared: it is queued in the caller's transaction.

use domain::RunId;
use store::{AppScope, NewRun, Run, Write};

use crate::error::RunError;
use crate::limits::PlatformRunLimits;

/// Queues the run; a worker takes it once the caller's reply has committed.
///
/// # Errors
/// [`RunError::TooManyActive`] when the organization has no place left; the caller must then answer with an error status, which
/// rolls the unit back.
pub async fn start(write: &Write<AppScope>, new: &NewRun, limits: &PlatformRunLimits) -> Result<Run, RunError> {
    let limit = limits.max_concurrent_per_org.get();
    match write.runs().create(new, limit).await {
        Ok(Ok(run)) => {
            let id: RunId = run.id;
            tracing::info!(run.id = %id, "run {id} was accepted");
            Ok(run)
        }
        Ok(Err(store::Refused)) => Err(RunError::TooManyActive { limit }),
        Err(source) => Err(RunError::Store { doing: "accept the run", source }),
    }
}
