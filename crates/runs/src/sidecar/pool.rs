//! Sidecars that are up before a run needs them.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::process::{Launch, Sidecar};

/// First pause after a sidecar could not be started; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A number of idle sidecars. Cheap to clone; [`Pool::keep`] must run for it to fill.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    launch: Arc<dyn Launch>,
    size: usize,
    idle: Mutex<VecDeque<Sidecar>>,
    taken: Notify,
    /// Fires whenever the pool has reached its size; for those who wait for a warm start.
    filled: Notify,
}

impl Pool {
    /// `size` is the number of sidecars that wait; 0 starts each one when it is needed.
    pub fn new(launch: Arc<dyn Launch>, size: usize) -> Self {
        let idle = Mutex::new(VecDeque::with_capacity(size));
        Self { shared: Arc::new(Shared { launch, size, idle, taken: Notify::new(), filled: Notify::new() }) }
    }

    /// A sidecar that is ready: an idle one that still lives, else a fresh one.
    pub async fn take(&self) -> io::Result<Sidecar> {
        let idle = self.pop_living();
        self.shared.taken.notify_one();
        match idle {
            Some(sidecar) => Ok(sidecar),
            None => self.start().await,
        }
    }

    /// How many sidecars wait.
    pub fn idle(&self) -> usize {
        self.members().len()
    }

    /// Waits until the pool is full. Returns at once if it is.
    pub async fn filled(&self) {
        loop {
            let filled = self.shared.filled.notified();
            if self.idle() >= self.shared.size {
                return;
            }
            filled.await;
        }
    }

    /// Fills the pool, replaces members that were taken or have died, until `shutdown`; then kills those that wait.
    pub async fn keep(&self, shutdown: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let wait = match self.fill().await {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    None
                }
                Err(error) => {
                    tracing::error!(%error, "could not start a sidecar for the pool");
                    let wait = pause;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    Some(wait)
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.shared.taken.notified(), if wait.is_none() => {}
                () = self.a_death(), if wait.is_none() => {}
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
        let idle: Vec<_> = self.members().drain(..).collect();
        futures::future::join_all(idle.iter().map(|sidecar| sidecar.process.kill())).await;
    }

    async fn fill(&self) -> io::Result<()> {
        self.members().retain(is_alive);
        while self.idle() < self.shared.size {
            let sidecar = self.start().await?;
            self.members().push_back(sidecar);
        }
        self.shared.filled.notify_waiters();
        Ok(())
    }

    async fn start(&self) -> io::Result<Sidecar> {
        self.shared.launch.launch().await?.ready().await
    }

    fn pop_living(&self) -> Option<Sidecar> {
        let mut members = self.members();
        std::iter::from_fn(|| members.pop_front()).find(is_alive)
    }

    /// Returns once any idle member has died; never, if there is none.
    async fn a_death(&self) {
        let mut deaths: FuturesUnordered<_> =
            self.members().iter().map(|sidecar| sidecar.process.exited().clone().cancelled_owned()).collect();
        if deaths.next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    fn members(&self) -> MutexGuard<'_, VecDeque<Sidecar>> {
        self.shared.idle.lock().expect("nothing panics while it holds the pool")
    }
}

fn is_alive(sidecar: &Sidecar) -> bool {
    !sidecar.process.exited().is_cancelled()
}
