//! A clock that follows the database's, so that nodes with clocks of their own agree on leases and due times.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::TimeDelta;
use domain::{Clock, Timestamp};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::StoreError;
use crate::engine::Engine;

/// How often the offset is taken again.
const EVERY: Duration = Duration::from_mins(1);

/// This machine's clock, moved by its distance from the database's.
#[derive(Debug)]
pub(crate) struct DatabaseClock {
    own: Arc<dyn Clock>,
    /// Milliseconds that the database is ahead.
    offset: AtomicI64,
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        self.own.now() + TimeDelta::milliseconds(self.offset.load(Ordering::Relaxed))
    }
}

impl DatabaseClock {
    /// Takes the offset now and each minute, as long as the clock is in use.
    pub(crate) async fn start(own: Arc<dyn Clock>, engine: Engine) -> Result<Arc<Self>, StoreError> {
        let clock = Arc::new(Self { own, offset: AtomicI64::new(0) });
        clock.take_offset(&engine).await?;
        tokio::spawn(follow(Arc::downgrade(&clock), engine));
        Ok(clock)
    }

    async fn take_offset(&self, engine: &Engine) -> Result<(), StoreError> {
        const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        let before = self.own.now();
        let row = engine.reader().query_one_raw(Statement::from_string(DbBackend::Postgres, NOW)).await?;
        let after = self.own.now();
        let theirs: i64 = row.ok_or(StoreError::Corrupt { what: "the time" })?.try_get_by_index(0)?;
        // The answer was made about half-way.
        let ours = before.timestamp_millis().midpoint(after.timestamp_millis());
        self.offset.store(theirs - ours, Ordering::Relaxed);
        Ok(())
    }
}

async fn follow(clock: Weak<DatabaseClock>, engine: Engine) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(clock) = clock.upgrade() else {
            return;
        };
        if let Err(error) = clock.take_offset(&engine).await {
            tracing::warn!(%error, "could not read the database's clock; the offset stays as it was");
        }
    }
}
