//! The only writer of a run's end.

use std::time::Duration;

use store::{AppScope, FinishedRun, RunEnding, RunLease, Store, StoreError, WriteContext};

/// Pauses between attempts while the database does not answer; together shorter than a lease.
const PAUSES: [Duration; 5] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(8)];

/// Ends the run under its lease: status, cost, state, memories, event and counters in one transaction.
///
/// `None`: it was ended by somebody else, or the lease is lost; nothing was written. Repeats while the database is away, because
/// the end is compare-and-set. If it stays away the lease runs out, and whoever recovers the run ends it.
pub(crate) async fn finish(
    store: &Store,
    scope: &AppScope,
    lease: &RunLease,
    ending: &RunEnding,
) -> Result<Option<FinishedRun>, StoreError> {
    let mut pauses = PAUSES.iter();
    loop {
        match once(store, scope, lease, ending).await {
            Ok(finished) => {
                report(lease, ending, finished.as_ref());
                return Ok(finished);
            }
            Err(error @ StoreError::Unavailable { .. }) => match pauses.next() {
                Some(pause) => {
                    tracing::warn!(run.id = %lease.run(), %error, "could not end run {}, trying again", lease.run());
                    tokio::time::sleep(*pause).await;
                }
                None => return Err(error),
            },
            Err(error) => return Err(error),
        }
    }
}

async fn once(store: &Store, scope: &AppScope, lease: &RunLease, ending: &RunEnding) -> Result<Option<FinishedRun>, StoreError> {
    let write = store.write(scope, WriteContext::internal()).await?;
    let finished = write.runs().finish(lease, ending).await?;
    if finished.is_some() {
        write.commit().await?;
    }
    Ok(finished)
}

fn report(lease: &RunLease, ending: &RunEnding, finished: Option<&FinishedRun>) {
    let run = lease.run();
    let Some(FinishedRun { run: ended, forgotten }) = finished else {
        tracing::info!(run.id = %run, "run {run} had been ended by another");
        return;
    };
    tracing::info!(
        run.id = %run,
        run.status = ended.status.as_str(),
        run.error_code = ending.failure.as_ref().map(|failure| failure.code.as_str()),
        run.cost_nano_usd = ended.cost.0,
        duration_ms = ended.duration_ms(),
        memories.forgotten = forgotten,
        "run {run} ended: {}",
        ended.status.as_str()
    );
}
