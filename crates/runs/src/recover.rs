//! Runs whose worker is gone: lease over, nobody carries them out.

use store::{ExpiredRun, RunEnding, Store, StoreError, WriteContext};
use wire::run_event::{Failure, FailureCode};

use crate::finaliser;

/// Runs that are looked at in one go.
const BATCH: u32 = 100;

/// Claims that a run may use up before it starts; one whose preparation ends its worker each time must not go round for ever.
const MOST_CLAIMS: i64 = 3;

/// Ends every run whose lease is over as `server_restarted`, with the cost so far; one that had not started waits for another
/// worker instead. Returns how many were recovered. Safe on any number of nodes at once.
pub(crate) async fn recover(store: &Store) -> Result<usize, StoreError> {
    let mut recovered = 0;
    loop {
        let expired = store.system().expired_runs(BATCH).await?;
        let is_last = expired.len() < BATCH as usize;
        let mut moved = 0;
        for run in expired {
            moved += usize::from(recover_one(store, &run).await?);
        }
        recovered += moved;
        // Without progress the rest would only be read again.
        if is_last || moved == 0 {
            return Ok(recovered);
        }
    }
}

async fn recover_one(store: &Store, run: &ExpiredRun) -> Result<bool, StoreError> {
    if !run.is_started && run.lease.epoch() < MOST_CLAIMS {
        let write = store.write(&run.scope, WriteContext::internal()).await?;
        let requeued = write.runs().requeue(&run.lease).await?;
        if requeued {
            write.commit().await?;
            tracing::warn!(run.id = %run.lease.run(), "run {} lost its worker before it started and waits again", run.lease.run());
        }
        return Ok(requeued);
    }
    let message = "The server stopped while the run was going on. What it had cost until then is kept.";
    let ending = RunEnding::failed(Failure::new(FailureCode::ServerRestarted, message));
    Ok(finaliser::finish(store, &run.scope, &run.lease, &ending).await?.is_some())
}
