//! Asking a run to stop.

use domain::{RunId, RunStatus};
use sea_orm::ColumnTrait as _;
use wire::run_event::{Failure, FailureCode};

use super::finish::{Guard, RunEnding, end};
use super::list::Runs;
use crate::StoreError;
use crate::entities::{At, run};
use crate::unit::Writing;

/// What a request to stop came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelRequest {
    /// The run had not started and is over.
    Ended,
    /// The run is going on; its worker will end it soon. Also for a repeated request.
    Requested,
    /// The run had ended before, with this status.
    AlreadyEnded(RunStatus),
    /// The scope reaches no such run.
    Unknown,
}

impl Runs<'_, Writing> {
    /// Asks a run to stop: one that has not started ends here and now, one that is running is marked for its worker.
    pub async fn request_cancel(&self, id: RunId) -> Result<CancelRequest, StoreError> {
        let failure = Failure::new(FailureCode::Cancelled, "The run was cancelled before it started.");
        if end(self.unit, id, &Guard::NotStarted, &RunEnding::failed(failure)).await?.is_some() {
            return Ok(CancelRequest::Ended);
        }
        let running = || run::Column::Status.eq(RunStatus::Running.as_str());
        let marked = self
            .tenant
            .update::<run::Entity>()
            .set(run::Column::CancelRequestedAt, At(self.tenant.now()))
            .filter(run::Column::Id.eq(id.to_string()))
            .filter(running())
            .filter(run::Column::CancelRequestedAt.is_null())
            .run()
            .await?;
        if marked == 1 {
            self.tenant.wake(crate::Topic::Cancel(id));
            return Ok(CancelRequest::Requested);
        }
        Ok(match self.get(id).await? {
            Some(run) if run.status.is_ended() => CancelRequest::AlreadyEnded(run.status),
            Some(_) => CancelRequest::Requested,
            None => CancelRequest::Unknown,
        })
    }
}
