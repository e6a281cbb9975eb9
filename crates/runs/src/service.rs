//! The worker: claims queued runs and carries them out, keeps their leases, recovers the runs of workers that are gone.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::{IdSource, RunId};
use futures::FutureExt as _;
use store::{ClaimedRun, Store, Topic};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::credentials::CredentialSource;
use crate::executor::Executor;
use crate::recover::recover;
use crate::registry::Registry;
use crate::sandbox::SandboxSource;
use crate::sidecar::pool::Pool;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Runs carried out at once. Default 100.
    pub concurrency: usize,
    /// `OUTBOUND_ALLOW`, handed to the sidecars.
    pub outbound_allow: String,
    /// What a run that was asked to stop, or whose time is up, may still take. Default 5 s.
    pub grace: Duration,
    /// What running runs may still take when the server stops, before they are asked to stop. Default 30 s.
    pub shutdown_grace: Duration,
    /// How long a run stays this worker's without a sign of life. Default 30 s.
    pub lease: Duration,
    /// How often leases are extended. Default 5 s; well below [`Options::lease`].
    pub heartbeat: Duration,
    /// How often requests to stop that came in through other nodes are looked for. Default 1 s.
    pub cancel_poll: Duration,
    /// How often the queue is looked at when nothing wakes this worker. Default 1 s.
    pub queue_poll: Duration,
    /// How often expired leases are looked for; also once at the start. Default 30 s.
    pub recover_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 100,
            outbound_allow: String::new(),
            grace: Duration::from_secs(5),
            shutdown_grace: Duration::from_secs(30),
            lease: Duration::from_secs(30),
            heartbeat: Duration::from_secs(5),
            cancel_poll: Duration::from_secs(1),
            queue_poll: Duration::from_secs(1),
            recover_every: Duration::from_secs(30),
        }
    }
}

/// What a worker stands on.
#[derive(Clone)]
pub struct Parts {
    pub store: Store,
    /// Kept filled by the service.
    pub pool: Pool,
    pub sandbox: SandboxSource,
    pub credentials: Arc<dyn CredentialSource>,
}

/// A worker that has not begun. [`Service::run`] is its life.
pub struct Service {
    options: Options,
    store: Store,
    pool: Pool,
    executor: Arc<Executor>,
    registry: Registry,
    /// Unlike every other worker's, and every earlier life's of this one.
    worker: String,
}

/// A look at a worker from outside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    registry: Registry,
}

impl Handle {
    /// Runs that this worker carries out now.
    pub fn running(&self) -> usize {
        self.registry.len()
    }

    /// Tells a run to stop, if it is carried out here. A shortcut past the database for tests and operators; the API uses
    /// [`crate::cancel`].
    pub fn cancel(&self, run: RunId) -> bool {
        self.registry.cancel(run)
    }
}

impl Service {
    pub fn new(options: Options, parts: Parts) -> (Self, Handle) {
        let Parts { store, pool, sandbox, credentials } = parts;
        let worker = worker_name(store.ids());
        let executor = Arc::new(Executor {
            store: store.clone(),
            pool: pool.clone(),
            sandbox,
            credentials,
            outbound_allow: options.outbound_allow.clone(),
            grace: options.grace,
        });
        let registry = Registry::default();
        let handle = Handle { registry: registry.clone() };
        (Self { options, store, pool, executor, registry, worker }, handle)
    }

    /// Works until `shutdown`; then claims nothing more, lets running runs end for [`Options::shutdown_grace`], asks the rest to
    /// stop, and returns when none is left and every sidecar is gone.
    pub async fn run(self, shutdown: CancellationToken) {
        let done = CancellationToken::new();
        let work = async {
            let runs = TaskTracker::new();
            self.claim(&runs, &shutdown).await;
            self.finish_all(&runs).await;
            done.cancel();
        };
        tokio::join!(work, self.pool.keep(done.clone()), self.keep_leases(&done), self.watch_cancels(&done), self.recover_others(&done));
    }

    async fn claim(&self, runs: &TaskTracker, shutdown: &CancellationToken) {
        let places = Arc::new(Semaphore::new(self.options.concurrency));
        let mut jobs = self.store.live().subscribe(Topic::Jobs);
        loop {
            let place = tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                place = Arc::clone(&places).acquire_owned() => place.expect("the semaphore is never closed"),
            };
            // Never dropped half-way: a claim that has committed is carried out.
            match self.store.system().claim_run(&self.worker, self.options.lease).await {
                Ok(Some(claimed)) => self.spawn(runs, claimed, place),
                Ok(None) => self.wait(&mut jobs, shutdown).await,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "could not look for runs to carry out");
                    self.wait(&mut jobs, shutdown).await;
                }
            }
            if shutdown.is_cancelled() {
                return;
            }
        }
    }

    async fn wait(&self, jobs: &mut store::Subscription, shutdown: &CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = jobs.changed() => {}
            () = tokio::time::sleep(self.options.queue_poll) => {}
        }
    }

    fn spawn(&self, runs: &TaskTracker, claimed: ClaimedRun, place: OwnedSemaphorePermit) {
        let registered = self.registry.enter(&claimed.lease);
        let executor = Arc::clone(&self.executor);
        let (store, worker) = (self.store.clone(), self.worker.clone());
        runs.spawn(async move {
            let run = claimed.lease.run();
            let mut cancels = store.live().subscribe(Topic::Cancel(run));
            let execution = AssertUnwindSafe(executor.execute(&claimed, &registered.control)).catch_unwind();
            // A wake is a hint, and everybody is woken when a connection between nodes comes back: only the table says who is to stop.
            let told = async {
                loop {
                    cancels.changed().await;
                    match store.system().cancel_requests(&worker).await {
                        Ok(requested) if requested.contains(&run) => registered.control.cancel.request(crate::endings::cancelled()),
                        Ok(_) => {}
                        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "could not look for requests to stop"),
                    }
                }
            };
            let ended = tokio::select! {
                ended = execution => ended,
                never = told => never,
            };
            if ended.is_err() {
                tracing::error!(run.id = %run, "the task of run {run} panicked");
                executor.settle_panicked(&claimed).await;
            }
            drop(registered);
            drop(place);
        });
    }

    async fn finish_all(&self, runs: &TaskTracker) {
        runs.close();
        if tokio::time::timeout(self.options.shutdown_grace, runs.wait()).await.is_err() {
            tracing::warn!(runs.count = runs.len(), "the server stops while {} runs are going on", runs.len());
            self.registry.stop_all();
            runs.wait().await;
        }
    }

    async fn keep_leases(&self, done: &CancellationToken) {
        let mut tick = tokio::time::interval(self.options.heartbeat);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while next(&mut tick, done).await {
            let leases = self.registry.leases();
            if leases.is_empty() {
                continue;
            }
            match self.store.system().extend_run_leases(leases.clone(), self.options.lease).await {
                Ok(held) => self.registry.extended(&leases, &held),
                Err(error) => {
                    // If it stays away the leases run out, and every write says so.
                    tracing::error!(error = &error as &dyn std::error::Error, "could not extend the leases of {} runs", leases.len());
                }
            }
        }
    }

    async fn watch_cancels(&self, done: &CancellationToken) {
        let mut tick = tokio::time::interval(self.options.cancel_poll);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while next(&mut tick, done).await {
            if self.registry.len() == 0 {
                continue;
            }
            match self.store.system().cancel_requests(&self.worker).await {
                Ok(requested) => requested.into_iter().for_each(|run| {
                    self.registry.cancel(run);
                }),
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "could not look for requests to stop"),
            }
        }
    }

    async fn recover_others(&self, done: &CancellationToken) {
        let mut tick = tokio::time::interval(self.options.recover_every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while next(&mut tick, done).await {
            match recover(&self.store).await {
                Ok(0) => {}
                Ok(count) => tracing::warn!(runs.count = count, "recovered {count} runs of a worker that is gone"),
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "could not recover runs"),
            }
        }
    }
}

/// Waits for the tick. `false`: it is over.
async fn next(tick: &mut tokio::time::Interval, done: &CancellationToken) -> bool {
    tokio::select! {
        biased;
        () = done.cancelled() => false,
        _ = tick.tick() => true,
    }
}

fn worker_name(ids: &dyn IdSource) -> String {
    format!("worker-{}", ids.uuid().simple())
}
