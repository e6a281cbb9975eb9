//! Why something about a run could not be done, without a word about HTTP.

use domain::{RunId, RunStatus};
use store::StoreError;

/// What can go wrong when a run is started or cancelled.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("run {0} does not exist")]
    NotFound(RunId),
    #[error("run {run} has ended already ({})", status.as_str())]
    AlreadyEnded { run: RunId, status: RunStatus },
    #[error("the organization may have {limit} runs pending or running at once")]
    TooManyActive { limit: u32 },
    #[error("could not {doing}")]
    Store {
        doing: &'static str,
        #[source]
        source: StoreError,
    },
}
