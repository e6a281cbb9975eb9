//! What a server tidies up by itself, whatever its role. Several servers may do it at once.

use std::time::Duration;

use store::Store;
use tokio_util::sync::CancellationToken;

/// How often.
pub(crate) const EVERY: Duration = Duration::from_mins(10);

/// Deletes outdated idempotency records and what deleted runs have left behind, at once and then every so often, until the server stops.
pub(crate) async fn upkeep(store: Store, every: Duration, shutdown: CancellationToken) {
    loop {
        match store.system().prune_idempotency().await {
            Ok(0) => {}
            Ok(deleted) => tracing::debug!(deleted, "outdated idempotency records were deleted"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "could not delete outdated idempotency records"),
        }
        match store.system().delete_leftovers().await {
            Ok(0) => {}
            Ok(runs) => tracing::debug!(runs, "the large events of deleted runs were deleted"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "could not delete the large events of deleted runs"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::mock::MockClock;
    use store::{Claimed, IdempotencyKey, SealError, Sealer, WriteContext};

    use super::*;

    #[derive(Debug)]
    struct Open;

    impl Sealer for Open {
        fn seal(&self, plain: &[u8], _: &[u8]) -> Result<Vec<u8>, SealError> {
            Ok(plain.to_vec())
        }

        fn open(&self, sealed: &[u8], _: &[u8]) -> Result<Vec<u8>, SealError> {
            Ok(sealed.to_vec())
        }
    }

    async fn answer(store: &Store, key: &str) {
        let key = IdempotencyKey {
            key: key.to_owned(),
            org: None,
            app: None,
            principal: "usr_1".to_owned(),
            method: "POST".to_owned(),
            path: "/api/orgs".to_owned(),
            fingerprint: [0; 32],
        };
        let Claimed::Fresh(claim) = store.claim(&key).await.expect("the database answers") else { panic!("the key is fresh") };
        let opened = store.system().begin_write(WriteContext::internal().under(Some(claim))).await.expect("opens");
        opened.fresh().expect("the key is fresh").reply(204, None).await.expect("commits");
    }

    #[tokio::test]
    async fn outdated_records_go_and_the_loop_ends_with_the_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(MockClock::default());
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("store.db").display());
        let options = store::Options { clock: clock.clone(), ..store::Options::new(url, folder.path().join("blobs"), Arc::new(Open)) };
        let store = Store::connect(options).await.expect("opens");
        answer(&store, "old").await;
        clock.advance(Duration::from_hours(24));
        answer(&store, "new").await;

        let shutdown = CancellationToken::new();
        shutdown.cancel();
        // The first round comes before the first wait, which is over at once.
        upkeep(store.clone(), EVERY, shutdown).await;
        assert_eq!(store.system().prune_idempotency().await.expect("the database answers"), 0, "the old one is gone");
        clock.advance(Duration::from_hours(24));
        assert_eq!(store.system().prune_idempotency().await.expect("the database answers"), 1, "the new one was kept");
    }
}
