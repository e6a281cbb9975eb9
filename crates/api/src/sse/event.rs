//! An event of a run, before it is bytes.

use domain::RunId;
use store::{RunRecord, Store, StoreError};
use wire::run_event::RunEvent;

/// Whether the event changes a run's state. Such events are small: they stand in their row.
pub(crate) fn changes_state(event: &RunEvent) -> bool {
    matches!(event, RunEvent::Created { .. } | RunEvent::Started { .. } | RunEvent::Ended { .. })
}

/// The event itself. `None`: it cannot be read, which the log says; one event must not keep anyone from all the others.
pub(crate) async fn readable(store: &Store, run: RunId, record: &RunRecord) -> Result<Option<RunEvent>, StoreError> {
    match store.whole_event(record.data.clone()).await {
        Ok(event) => Ok(Some(event)),
        Err(error @ (StoreError::Corrupt { .. } | StoreError::Blob(_))) => {
            tracing::error!(run.id = %run, event.seq = record.seq, error = &error as &dyn std::error::Error, "an event was left out of streams: it cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
