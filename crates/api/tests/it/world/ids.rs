//! Ids from a seed, and a handler that panics on demand.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::IdSource;
use domain::mock::SeededIds;
use uuid::Uuid;

/// Counts up as [`SeededIds`] does. Once armed, the n-th id from then on is a panic: the fault that a test puts into a handler.
#[derive(Debug)]
pub(crate) struct TripIds {
    seeded: SeededIds,
    left: AtomicI64,
}

impl Default for TripIds {
    fn default() -> Self {
        Self { seeded: SeededIds::new(7), left: AtomicI64::new(i64::MAX) }
    }
}

impl TripIds {
    /// Lets `calm` ids pass and panics once at the next.
    pub(crate) fn trip_after(&self, calm: i64) {
        self.left.store(calm, Ordering::SeqCst);
    }
}

impl IdSource for TripIds {
    fn uuid(&self) -> Uuid {
        assert!(self.left.fetch_sub(1, Ordering::SeqCst) != 0, "the test asked for this panic");
        self.seeded.uuid()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.seeded.fill(bytes);
    }
}
