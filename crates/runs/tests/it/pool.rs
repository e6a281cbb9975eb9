//! Sidecars that wait for work.

use std::sync::Arc;

use runs::Pool;
use tokio_util::sync::CancellationToken;

use crate::fake::{FakeLaunch, Step};
use crate::world::soon;

#[tokio::test]
async fn a_pool_fills_replaces_what_was_taken_and_what_has_died_and_ends_empty() {
    let launch = Arc::new(FakeLaunch::new(vec![Step::Hang]));
    let pool = Pool::new(launch.clone(), 3);
    let shutdown = CancellationToken::new();
    let keeper = tokio::spawn({
        let (pool, shutdown) = (pool.clone(), shutdown.clone());
        async move { pool.keep(shutdown).await }
    });
    soon(pool.filled()).await;
    assert_eq!((pool.idle(), launch.launched()), (3, 3));

    let taken = pool.take().await.unwrap();
    soon(async {
        while launch.launched() < 4 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    soon(pool.filled()).await;
    drop(taken);

    let plague = std::mem::take(&mut *launch.plague.lock().unwrap());
    plague.cancel();
    soon(async {
        while launch.launched() < 7 || pool.idle() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(pool.take().await.unwrap());

    shutdown.cancel();
    soon(keeper).await.unwrap();
    soon(async {
        while launch.living() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(pool.idle(), 0);
}

#[tokio::test]
async fn a_pool_of_none_starts_each_sidecar_when_it_is_needed() {
    let launch = Arc::new(FakeLaunch::new(vec![Step::Hang]));
    let pool = Pool::new(launch.clone(), 0);
    assert_eq!(launch.launched(), 0);
    let taken = pool.take().await.unwrap();
    assert_eq!((launch.launched(), launch.living()), (1, 1));
    drop(taken);
}
