//! Init: pid 1 of the sandbox. Builds it, gives up every right, starts the tool host, then only reaps.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{self, Pid};

use super::memory::Supervisor;
use super::{Entered, Inherited, confine, network, root, seccomp};
use crate::cgroup::Doors;
use crate::protocol::{self, HostEnd, InitReport, LaunchSpec, Refusal, Report, Step};
use crate::sys;

/// Builds the sandbox from within. Returns in the tool host only, or with a refusal.
pub(super) fn run(
    spec: &LaunchSpec,
    inherited: Inherited,
    guard: OwnedFd,
    doors: Doors,
    control: &mut Option<OwnedFd>,
) -> Result<Entered, Refusal> {
    let start = |detail: &'static str| move |error: io::Error| Refusal::new(Step::Start, detail, error);
    doors.enter().map_err(|error| Refusal::new(Step::Cgroup, "enter the cgroups", error))?;
    await_permit(&guard)?;
    confine::become_user()?;
    nix::sched::unshare(CloneFlags::CLONE_NEWCGROUP).map_err(|error| Refusal::new(Step::Namespaces, "unshare cgroup", error))?;
    let listeners = network::raise()?;
    root::build(spec)?;
    confine::limit_resources(&spec.limits)?;
    confine::drop_capabilities()?;
    let landlock = confine::apply_landlock()?;
    let mut child_signal = SigSet::empty();
    child_signal.add(Signal::SIGCHLD);
    child_signal.thread_block().map_err(|error| start("block SIGCHLD")(error.into()))?;
    seccomp::install()?;

    match sys::fork().map_err(start("fork the tool host"))? {
        None => {
            drop((guard, inherited.liveness));
            child_signal.thread_unblock().map_err(|error| start("unblock SIGCHLD")(error.into()))?;
            become_host(inherited.tools, listeners, landlock, control)
        }
        Some(host) => {
            // Nothing of init's refers to the worker any more, save the pipe that says whether it lives.
            drop((inherited.tools, listeners, control.take()));
            let supervisor = (!spec.cgroup.limits_memory()).then(|| Supervisor::new(spec.limits.memory_bytes));
            // Whatever ends the watch, the end of pid 1 is the end of the sandbox; the guard sees to the report.
            let code = match supervise(host, &child_signal, (&guard, &inherited.liveness), supervisor) {
                Ok(()) => 0,
                Err(_) => 1,
            };
            std::process::exit(code)
        }
    }
}

/// Waits until the guard has mapped the user. When it gives up it has reported why; then this process ends without a word.
fn await_permit(guard: &OwnedFd) -> Result<(), Refusal> {
    match protocol::receive::<bool>(guard.as_fd()) {
        Ok(Some((true, _))) => Ok(()),
        Ok(_) => std::process::exit(0),
        Err(error) => Err(Refusal::new(Step::Start, "wait for the guard", error)),
    }
}

/// The last steps, in the tool host itself: its standard streams, its directory, the word to the worker.
fn become_host(tools: OwnedFd, listeners: [TcpListener; 2], landlock: String, control: &mut Option<OwnedFd>) -> Result<Entered, Refusal> {
    let refused = |detail: &'static str| move |error: io::Error| Refusal::new(Step::Start, detail, error);
    prctl::set_name(c"toolhost").map_err(|error| refused("name the tool host")(error.into()))?;
    unistd::setsid().map_err(|error| refused("setsid")(error.into()))?;
    unistd::chdir("/workspace").map_err(|error| refused("/workspace")(error.into()))?;
    let null = File::options().read(true).write(true).open("/dev/null").map_err(refused("/dev/null"))?;
    unistd::dup2_stdin(&null)
        .and_then(|()| unistd::dup2_stdout(&null))
        .and_then(|()| unistd::dup2_stderr(&null))
        .map_err(|error| refused("standard streams")(error.into()))?;
    drop(null);
    if let Some(control) = control.as_ref() {
        let [proxy, forward] = &listeners;
        protocol::send(control.as_fd(), &Report::Ready { landlock }, &[proxy.as_fd(), forward.as_fd()]).map_err(refused("report"))?;
    }
    // From here on nothing in this process can speak to the worker.
    drop((control.take(), listeners));
    Ok(Entered { socket: UnixStream::from(tools) })
}

/// Reaps until the tool host ends, the guard or the worker is gone; forwards nothing.
fn supervise(host: Pid, child_signal: &SigSet, ends: (&OwnedFd, &OwnedFd), mut supervisor: Option<Supervisor>) -> io::Result<()> {
    let (guard, liveness) = ends;
    prctl::set_name(c"sandbox-init")?;
    let signals = SignalFd::with_flags(child_signal, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let timeout = supervisor.as_ref().map_or(PollTimeout::NONE, |_| Supervisor::INTERVAL_MS.into());
    loop {
        let mut descriptors = [guard.as_fd(), liveness.as_fd(), signals.as_fd()].map(|each| PollFd::new(each, PollFlags::POLLIN));
        match poll(&mut descriptors, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let [guard_gone, worker_gone, child_changed] = descriptors.map(|descriptor| descriptor.any().unwrap_or(true));
        if guard_gone || worker_gone {
            return Ok(());
        }
        if child_changed {
            while signals.read_signal()?.is_some() {}
            if let Some(end) = reap(host)? {
                return protocol::send(guard.as_fd(), &InitReport::HostEnded(end), &[]);
            }
        }
        if let Some(supervisor) = &mut supervisor
            && supervisor.enforce()?
        {
            protocol::send(guard.as_fd(), &InitReport::MemoryKill, &[])?;
        }
    }
}

/// Collects every process that has ended. `Some` when the tool host is among them.
fn reap(host: Pid) -> io::Result<Option<HostEnd>> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == host => return Ok(Some(HostEnd::Exited(code))),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == host => return Ok(Some(HostEnd::Signaled(signal as i32))),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(None),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
