//! Following one sandbox to its end.

use std::time::Duration;

use tokio::process::Child;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{oneshot, watch};

use super::start::Reports;
use super::uids::Lease;
use crate::cgroup;
use crate::contract::{Exit, ExitCause};
use crate::protocol::{CgroupPlan, Ended, HostEnd, Report};

/// How long the guard may take to clean up after it was let go; then it is killed, and init with it.
pub(super) const CLEAN_UP_PATIENCE: Duration = Duration::from_secs(5);

/// The worker's end of a running sandbox.
pub(super) struct Watch {
    pub(super) child: Child,
    pub(super) reports: Reports,
    /// Resolves when the handle lets go of the sandbox.
    pub(super) released: oneshot::Receiver<()>,
    pub(super) cgroup: CgroupPlan,
    /// Held until every process of the uid is gone.
    pub(super) lease: Lease,
}

impl Watch {
    /// Waits for the end and tells it.
    pub(super) async fn run(mut self, exit: watch::Sender<Option<Exit>>) {
        let guard = self.child.id();
        let mut killed = false;
        let ended = tokio::select! {
            biased;
            ended = last_report(&mut self.reports) => ended,
            _ = &mut self.released => {
                killed = true;
                tokio::time::timeout(CLEAN_UP_PATIENCE, last_report(&mut self.reports)).await.unwrap_or_default()
            }
        };
        // Both may have come at once: the guard answers a release within a millisecond.
        killed |= self.released.try_recv() == Err(TryRecvError::Closed);
        if ended.is_none()
            && let Err(error) = self.child.start_kill()
        {
            tracing::warn!(%error, "could not kill the guard of a sandbox");
        }
        if let Err(error) = self.child.wait().await {
            tracing::warn!(%error, "could not wait for the guard of a sandbox");
        }
        if ended.is_none()
            && let Some(guard) = guard
            && let Err(error) = tokio::task::spawn_blocking(move || cgroup::sweep_after(&self.cgroup, guard)).await
        {
            tracing::warn!(%error, "could not remove the cgroup of a killed guard");
        }
        if let Some(leftover) = ended.as_ref().and_then(|ended| ended.leftover.as_ref()) {
            tracing::warn!(leftover, "a sandbox's cgroup could not be removed");
        }
        drop(self.lease);
        exit.send_replace(Some(conclude(ended.as_ref(), killed)));
    }
}

async fn last_report(reports: &mut Reports) -> Option<Ended> {
    loop {
        match reports.next().await {
            Ok(Some((Report::Ended(ended), _))) => return Some(ended),
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(%error, "could not read what the guard of a sandbox reports");
                return None;
            }
        }
    }
}

fn conclude(ended: Option<&Ended>, killed: bool) -> Exit {
    let memory_kills = ended.map_or(0, |ended| ended.memory_kills);
    let cause = match ended {
        Some(Ended { host: Some(HostEnd::Exited(code)), .. }) => ExitCause::Finished { code: *code },
        Some(Ended { host: Some(HostEnd::Signaled(libc::SIGKILL)) | None, memory_kills: 1.., .. }) if !killed => ExitCause::OutOfMemory,
        Some(Ended { host: Some(HostEnd::Signaled(signal)), .. }) => ExitCause::Signaled { signal: *signal },
        _ if killed => ExitCause::Killed,
        _ => ExitCause::Lost,
    };
    Exit { cause, memory_kills }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(host: Option<HostEnd>, memory_kills: u64) -> Ended {
        Ended { host, memory_kills, leftover: None }
    }

    #[test]
    fn the_cause_follows_from_what_the_guard_saw() {
        let cause = |ended: Ended, killed| conclude(Some(&ended), killed).cause;
        assert_eq!(cause(ended(Some(HostEnd::Exited(3)), 0), false), ExitCause::Finished { code: 3 });
        assert_eq!(cause(ended(Some(HostEnd::Exited(0)), 2), false), ExitCause::Finished { code: 0 }, "it survived two kills");
        assert_eq!(cause(ended(Some(HostEnd::Signaled(6)), 0), false), ExitCause::Signaled { signal: 6 });
        assert_eq!(cause(ended(Some(HostEnd::Signaled(9)), 0), false), ExitCause::Signaled { signal: 9 });
        assert_eq!(cause(ended(Some(HostEnd::Signaled(9)), 1), false), ExitCause::OutOfMemory);
        assert_eq!(cause(ended(None, 1), false), ExitCause::OutOfMemory, "init itself was the victim");
        assert_eq!(cause(ended(None, 0), true), ExitCause::Killed);
        assert_eq!(cause(ended(None, 1), true), ExitCause::Killed);
        assert_eq!(conclude(None, true).cause, ExitCause::Killed);
        assert_eq!(cause(ended(None, 0), false), ExitCause::Lost);
        assert_eq!(conclude(None, false).cause, ExitCause::Lost);
    }
}
