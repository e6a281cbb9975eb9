//! Asking a run to stop, from the API's side.

use domain::RunId;
use store::{AppScope, CancelRequest, Write};

use crate::error::RunError;

/// What a request to stop has brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// The run had not started; it is over.
    AtOnce,
    /// The run is going on; its worker, wherever it is, is told once the caller's reply has committed.
    Requested,
}

/// Asks a run to stop. Repeating the request for a run that is still going on changes nothing.
///
/// # Errors
/// [`RunError::NotFound`], or [`RunError::AlreadyEnded`].
pub async fn cancel(write: &Write<AppScope>, run: RunId) -> Result<Cancelled, RunError> {
    match write.runs().request_cancel(run).await {
        Ok(CancelRequest::Ended) => Ok(Cancelled::AtOnce),
        Ok(CancelRequest::Requested) => Ok(Cancelled::Requested),
        Ok(CancelRequest::AlreadyEnded(status)) => Err(RunError::AlreadyEnded { run, status }),
        Ok(CancelRequest::Unknown) => Err(RunError::NotFound(run)),
        Err(source) => Err(RunError::Store { doing: "cancel the run", source }),
    }
}
