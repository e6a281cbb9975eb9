//! The turn of SQLite's one writer: requests first, the background lane behind at most [`REQUESTS_AHEAD`] of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

/// How many waiting requests may pass before the background lane gets its turn.
pub(crate) const REQUESTS_AHEAD: u32 = 8;

/// A fair lock with two lanes. Each lane is first come, first served.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    is_held: bool,
    requests: VecDeque<oneshot::Sender<Permit>>,
    background: VecDeque<oneshot::Sender<Permit>>,
    /// Requests served while the background lane waited.
    passed: u32,
}

/// The right to write, until dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    writer: Option<Arc<Writer>>,
}

/// Who asks for the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Requests,
    Background,
}

impl Writer {
    /// Waits for the turn. Cancel-safe: a dropped wait gives its turn to the next.
    pub(crate) async fn acquire(self: &Arc<Self>, lane: Lane) -> Permit {
        let turn = {
            let mut queue = self.queue();
            if !queue.is_held {
                queue.is_held = true;
                return Permit { writer: Some(Arc::clone(self)) };
            }
            let (sender, receiver) = oneshot::channel();
            match lane {
                Lane::Requests => queue.requests.push_back(sender),
                Lane::Background => queue.background.push_back(sender),
            }
            receiver
        };
        turn.await.expect("the writer lives as long as its permits, and a waiting sender is only dropped after it has sent")
    }

    fn release(self: Arc<Self>) {
        let mut permit = Permit { writer: Some(Arc::clone(&self)) };
        loop {
            let next = {
                let mut queue = self.queue();
                let Some(next) = queue.next() else {
                    queue.is_held = false;
                    // The permit was never handed out: its drop would release a second time.
                    permit.writer = None;
                    return;
                };
                next
            };
            match next.send(permit) {
                Ok(()) => return,
                // That one stopped waiting; the turn goes on to the next.
                Err(returned) => permit = returned,
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics while it holds the queue")
    }
}

impl Queue {
    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        let is_background_due = self.requests.is_empty() || self.passed >= REQUESTS_AHEAD;
        if is_background_due && let Some(next) = self.background.pop_front() {
            self.passed = 0;
            return Some(next);
        }
        let next = self.requests.pop_front();
        if next.is_some() && !self.background.is_empty() {
            self.passed += 1;
        }
        next
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn the_background_lane_waits_for_eight_requests_and_no_more() {
        let writer = Arc::new(Writer::default());
        let held = writer.acquire(Lane::Requests).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for name in std::iter::once("background").chain(std::iter::repeat_n("request", 20)) {
            let (writer, order) = (Arc::clone(&writer), Arc::clone(&order));
            let lane = if name == "background" { Lane::Background } else { Lane::Requests };
            let mut turn = Box::pin(async move {
                let permit = writer.acquire(lane).await;
                order.lock().unwrap().push(name);
                drop(permit);
            });
            assert_eq!(futures::poll!(turn.as_mut()), Poll::Pending);
            waiting.push(turn);
        }
        drop(held);
        futures::future::join_all(waiting).await;
        let order = order.lock().unwrap();
        assert_eq!(order.len(), 21);
        assert_eq!(order.iter().position(|name| *name == "background"), Some(8));
    }

    #[tokio::test]
    async fn a_free_writer_serves_the_background_lane_at_once() {
        let writer = Arc::new(Writer::default());
        assert!(writer.acquire(Lane::Background).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_cancelled_wait_passes_its_turn_on() {
        let writer = Arc::new(Writer::default());
        let held = writer.acquire(Lane::Requests).await;
        let mut given_up = Box::pin(writer.acquire(Lane::Requests));
        let mut patient = Box::pin(writer.acquire(Lane::Requests));
        assert!(futures::poll!(given_up.as_mut()).is_pending());
        assert!(futures::poll!(patient.as_mut()).is_pending());
        drop(given_up);
        drop(held);
        let permit = patient.now_or_never().expect("the turn reached the one who waited");
        drop(permit);
        assert!(writer.acquire(Lane::Requests).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_wait_dropped_after_it_got_the_turn_passes_it_on() {
        let writer = Arc::new(Writer::default());
        let held = writer.acquire(Lane::Requests).await;
        let mut lucky = Box::pin(writer.acquire(Lane::Requests));
        assert!(futures::poll!(lucky.as_mut()).is_pending());
        drop(held);
        drop(lucky);
        assert!(writer.acquire(Lane::Requests).now_or_never().is_some());
    }
}
