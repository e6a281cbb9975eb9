//! Reaps the processes that commands leave behind: the host inherits them as sub-reaper or as process 1.

use std::collections::HashSet;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

/// The children of this process.
pub(crate) struct Children {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Children that somebody waits for by name; the reaper leaves them alone.
    awaited: Mutex<HashSet<i32>>,
    changed: Condvar,
}

impl Children {
    /// Starts the reaper.
    pub(crate) fn watch() -> io::Result<Self> {
        // Where the sandbox forbids it, orphans go to its process 1, which is this one or its parent: both reap.
        let _inherits_orphans = prctl::set_child_subreaper(true);
        let shared = Arc::new(Shared::default());
        let reaper = Arc::clone(&shared);
        thread::Builder::new().name("reaper".to_owned()).spawn(move || reaper.reap_forever())?;
        Ok(Self { shared })
    }

    /// Starts a child that has to be given to [`Children::wait`].
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        // Held across the start, so that the reaper cannot take the child before it is known.
        let mut awaited = self.shared.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn()?;
        awaited.insert(child.id().cast_signed());
        self.shared.changed.notify_all();
        Ok(child)
    }

    /// A function that waits for the child, to be called on any thread.
    pub(crate) fn waiter(&self, mut child: Child) -> impl FnOnce() -> io::Result<ExitStatus> + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || {
            let status = child.wait();
            shared.awaited.lock().unwrap_or_else(PoisonError::into_inner).remove(&child.id().cast_signed());
            shared.changed.notify_all();
            status
        }
    }
}

impl Shared {
    fn reap_forever(&self) {
        loop {
            match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
                Ok(status) => {
                    let Some(pid) = status.pid() else { continue };
                    let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
                    if awaited.contains(&pid.as_raw()) {
                        while awaited.contains(&pid.as_raw()) {
                            awaited = self.changed.wait(awaited).unwrap_or_else(PoisonError::into_inner);
                        }
                    } else {
                        drop(awaited);
                        reap(pid);
                    }
                }
                Err(Errno::EINTR) => {}
                Err(_) => {
                    // No child at all: wait until there is one.
                    let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
                    while awaited.is_empty() {
                        awaited = self.changed.wait(awaited).unwrap_or_else(PoisonError::into_inner);
                    }
                }
            }
        }
    }
}

fn reap(pid: Pid) {
    // A failed start has been reaped by the one that tried it.
    let _status: Result<WaitStatus, Errno> = waitpid(pid, Some(WaitPidFlag::WNOHANG));
}
