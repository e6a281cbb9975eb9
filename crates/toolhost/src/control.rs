//! Deadline and cancellation of one call, shared by the thread that waits and the work that must stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Why a call has to end before its work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Cancelled,
    TimedOut,
}

type Waiter = Box<dyn FnOnce() + Send>;

/// One call's clock and stop button.
pub(crate) struct CallControl {
    deadline: Instant,
    cancelled: AtomicBool,
    waiters: Mutex<Vec<Waiter>>,
}

impl CallControl {
    pub(crate) fn new(time: Duration) -> Self {
        Self { deadline: Instant::now() + time, cancelled: AtomicBool::new(false), waiters: Mutex::default() }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Asks the work to stop and wakes everyone that waits for this. Idempotent.
    pub(crate) fn cancel(&self) {
        let waiters = {
            let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
            self.cancelled.store(true, Ordering::Release);
            std::mem::take(&mut *waiters)
        };
        for waiter in waiters {
            waiter();
        }
    }

    /// Runs `waiter` when the call is cancelled; at once if it already is.
    pub(crate) fn on_cancel(&self, waiter: impl FnOnce() + Send + 'static) {
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if self.cancelled.load(Ordering::Acquire) {
            drop(waiters);
            waiter();
        } else {
            waiters.push(Box::new(waiter));
        }
    }

    /// Whether the work has to stop now. Cheap enough for inner loops.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        if self.cancelled.load(Ordering::Acquire) {
            Some(Stop::Cancelled)
        } else if Instant::now() >= self.deadline {
            Some(Stop::TimedOut)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_waiter_is_called_whether_it_comes_before_or_after_the_cancellation() {
        let control = CallControl::new(Duration::from_mins(1));
        let (sender, receiver) = mpsc::channel();
        let early = sender.clone();
        control.on_cancel(move || early.send("early").expect("receiver lives"));
        assert_eq!(control.stopped(), None);
        control.cancel();
        control.on_cancel(move || sender.send("late").expect("receiver lives"));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), ["early", "late"]);
        assert_eq!(control.stopped(), Some(Stop::Cancelled));
    }

    #[test]
    fn a_passed_deadline_stops_the_call() {
        assert_eq!(CallControl::new(Duration::ZERO).stopped(), Some(Stop::TimedOut));
    }
}
