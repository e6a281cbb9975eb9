//! Time as an argument: nothing outside this file reads the system clock.

use chrono::{DateTime, SubsecRound, Utc};

/// A moment in UTC. On the wire: RFC 3339 with milliseconds and `Z`.
pub type Timestamp = DateTime<Utc>;

/// Tells the time. Tests pass a clock they move by hand.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The current moment, cut to milliseconds so that a stored and re-read value compares equal.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    fn now(&self) -> Timestamp {
        Utc::now().trunc_subsecs(3)
    }
}
