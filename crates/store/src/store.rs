//! The store's handle.

use std::sync::{Arc, Mutex};

use domain::{Clock, IdSource};
use sea_orm::DbBackend;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::clock::DatabaseClock;
use crate::engine::{Background, Engine, Lane, Session};
use crate::live::{self, Ears, Outbox};
use crate::scope::Scope;
use crate::system::System;
use crate::unit::{InFlightKeys, Opened, Unit, Wakes, WriteContext, WriteState};
use crate::{Blobs, Live, Options, Read, Sealer, StoreError, Write};

/// Everything kept: the database, blobs, and the wakes that follow a commit. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) background: Background,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) live: Live,
    pub(crate) deltas: crate::runs::Deltas,
    pub(crate) blobs: Blobs,
    /// Places of readers that nobody waits for: streams never take all connections.
    patience: Semaphore,
    /// Tasks between nodes. They end with the store.
    tasks: Mutex<JoinSet<()>>,
    /// Idempotency keys in flight; SQLite has no advisory locks.
    pub(crate) in_flight: InFlightKeys,
    #[cfg(feature = "unlock")]
    unlocked: Mutex<Vec<&'static str>>,
    #[cfg(feature = "failpoints")]
    pub(crate) failpoints: Arc<crate::failpoints::Failpoints>,
}

impl Inner {
    /// Whether a test asked for this table's filter to be left out.
    #[cfg(feature = "unlock")]
    pub(crate) fn is_unlocked(&self, table: &str) -> bool {
        self.unlocked.lock().expect("nothing panics while it holds the list").contains(&table)
    }

    #[cfg(not(feature = "unlock"))]
    #[expect(clippy::unused_self, reason = "the same call with and without the feature")]
    pub(crate) const fn is_unlocked(&self, _table: &str) -> bool {
        false
    }
}

impl Store {
    /// Opens the database, brings its tables up to date and starts the second lane on the current runtime.
    ///
    /// # Errors
    /// [`StoreError::RoleMissing`] when the PostgreSQL user may not make or assume the tenants' role.
    pub async fn connect(options: Options) -> Result<Self, StoreError> {
        let blobs = Blobs::in_folder(&options.blobs)?;
        let engine = Engine::connect(options.database_url.expose(), options.connections).await?;
        let clock: Arc<dyn Clock> = match engine.backend() {
            DbBackend::Postgres if options.follow_database_clock => DatabaseClock::start(options.clock, engine.clone()).await?,
            _ => options.clock,
        };
        let outbox = Outbox::of(&options.nodes, &*options.ids);
        let live = Live::new(outbox.clone());
        let deltas = crate::runs::Deltas::new(outbox.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(live::watch(engine.clone(), live.clone(), options.look_every));
        if let Some(outbox) = outbox {
            let ears = Ears { live: live.clone(), deltas: deltas.clone(), outbox };
            live::start(&options.nodes, &engine, options.database_url.expose(), &ears, &mut tasks)?;
        }
        let background = Background::start(engine.clone(), &live, options.last_used_every);
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                background,
                clock,
                ids: options.ids,
                sealer: options.sealer,
                live,
                deltas,
                blobs,
                patience: Semaphore::new(usize::try_from(options.connections / 2).unwrap_or(1).max(1)),
                tasks: Mutex::new(tasks),
                in_flight: InFlightKeys::default(),
                #[cfg(feature = "unlock")]
                unlocked: Mutex::new(options.unlocked),
                #[cfg(feature = "failpoints")]
                failpoints: options.failpoints,
            }),
        })
    }

    /// The platform's own work: a closed list.
    pub fn system(&self) -> System<'_> {
        System { store: self }
    }

    /// Opens a unit that only reads; dropping it ends it. Each statement sees what is committed by then, on both engines.
    pub async fn read<S: Scope>(&self, scope: &S) -> Result<Read<S>, StoreError> {
        let transaction = self.inner.engine.read(scope.tenant()).await?;
        Ok(Unit { transaction, permit: None, store: Arc::clone(&self.inner), scope: scope.clone(), wakes: Wakes::default(), state: () })
    }

    /// Opens a write transaction whatever stands under the context's idempotency key. On SQLite this waits for the writer's turn: do slow work before.
    pub async fn write<S: Scope>(&self, scope: &S, context: WriteContext) -> Result<Write<S>, StoreError> {
        let opened = self.inner.engine.write(scope.tenant(), Lane::Requests).await?;
        Ok(self.unit(scope, opened, WriteState::new(context)))
    }

    /// Opens a write transaction under the context's idempotency key, if it has one.
    pub async fn begin_write<S: Scope>(&self, scope: &S, context: WriteContext) -> Result<Opened<S>, StoreError> {
        let is_claimed = context.claim.is_some();
        let write = self.write(scope, context).await?;
        if is_claimed { write.check_claim().await } else { Ok(Opened::Fresh(Box::new(write))) }
    }

    fn unit<S: Scope>(&self, scope: &S, opened: crate::engine::Opened, state: WriteState) -> Write<S> {
        let crate::engine::Opened { transaction, permit } = opened;
        let transaction = Session::Transaction(transaction);
        Unit { transaction, permit, store: Arc::clone(&self.inner), scope: scope.clone(), wakes: Wakes::default(), state }
    }

    /// From now on the filters of these tables are left out, and those of all others hold. For tests that show what they are for.
    #[cfg(feature = "unlock")]
    pub fn unlock(&self, tables: &[&'static str]) {
        *self.inner.unlocked.lock().expect("nothing panics while it holds the list") = tables.to_vec();
    }

    pub fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    pub fn ids(&self) -> &dyn IdSource {
        &*self.inner.ids
    }

    /// Seals what leaves the server and comes back, such as a flow that a browser carries.
    pub fn sealer(&self) -> &dyn Sealer {
        &*self.inner.sealer
    }

    pub fn live(&self) -> &Live {
        &self.inner.live
    }

    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// Does reading that nobody waits for: at most half of the connections do so at once.
    pub async fn patiently<T>(&self, reading: impl Future<Output = T>) -> T {
        let place = self.inner.patience.acquire().await.expect("the semaphore is never closed");
        let read = reading.await;
        drop(place);
        read
    }

    /// Waits until everything queued in the second lane so far is committed.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.inner.background.flush().await
    }

    /// Commits what is queued and closes the database. Every later call fails.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.flush().await?;
        self.inner.tasks.lock().expect("nothing panics while it holds the tasks").abort_all();
        self.inner.engine.close().await
    }
}
