//! When a run must stop: somebody asked, or its time is up.

use std::time::Duration;

use wire::run_event::{Failure, FailureCode};

use crate::cancel::Cancel;
use crate::port::Timer;

pub(super) struct Stop<'a> {
    cancel: &'a Cancel,
    timer: &'a dyn Timer,
    deadline: Duration,
    time: Duration,
}

impl<'a> Stop<'a> {
    /// Stops `time` from now at the latest.
    pub(super) fn after(time: Duration, timer: &'a dyn Timer, cancel: &'a Cancel) -> Self {
        Self { cancel, timer, deadline: timer.elapsed().saturating_add(time), time }
    }

    /// # Errors
    /// The run must stop, with this failure.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.cancel.reason() {
            Some(failure) => Err(failure.clone()),
            None if self.left().is_zero() => Err(self.timed_out()),
            None => Ok(()),
        }
    }

    /// Returns once the run must stop. Cancel-safe.
    pub(super) async fn requested(&self) -> Failure {
        tokio::select! {
            biased;
            failure = self.cancel.requested() => failure,
            () = self.timer.sleep(self.left()) => self.timed_out(),
        }
    }

    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_sub(self.timer.elapsed())
    }

    fn timed_out(&self) -> Failure {
        let message = format!("The run did not end within its {} seconds.", self.time.as_secs());
        Failure::new(FailureCode::TimedOut, message)
    }
}
