//! The tool host's binary turning itself into the sandbox, before it starts any thread.
//!
//! Three processes come of it. The *guard* stays outside: it maps the user, owns the cgroups and ends everything when the worker's
//! liveness pipe closes. *Init* is pid 1 of the sandbox: it builds the file system, gives up all rights, then reaps. The *tool
//! host* is init's child and the only one that returns from [`enter`].

mod confine;
mod guard;
mod init;
mod memory;
mod network;
mod root;
mod seccomp;

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::sys::prctl;

use crate::protocol::{self, LaunchSpec, Refusal, Report};
use crate::sys;

/// What the tool host starts with.
#[derive(Debug)]
pub struct Entered {
    /// The socket to the run's sidecar; blocking, closed on exec.
    pub socket: UnixStream,
}

/// Why the launcher gave up.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    #[error("the launcher was called with {0} threads running; it must come first")]
    Threads(usize),
    #[error("could not talk to the worker over standard input")]
    Control(#[source] io::Error),
    #[error("the worker sent no descriptors for tools and liveness")]
    Descriptors,
    /// The worker has been told.
    #[error("could not {0}")]
    Refused(#[from] Refusal),
}

/// Descriptors that the worker handed over.
struct Inherited {
    tools: OwnedFd,
    /// Reads end-of-file when the worker lets go of the sandbox, or dies.
    liveness: OwnedFd,
}

/// Builds the sandbox around this process and returns in the tool host, the only process that returns `Ok`.
///
/// Call it first thing in `main`, when the worker started the binary with the argument `launch`: no thread may run yet, and
/// standard input must be the worker's control socket. The tool host comes back with `/workspace` as its directory,
/// `/dev/null` as its standard streams and every restriction in force. In the other processes the call ends the process, or
/// returns the error, which the worker has already been told; `main` should then return.
pub fn enter() -> Result<Entered, LaunchError> {
    // Whatever else the worker's process had open without close-on-exec ends here.
    sys::close_from(3).map_err(LaunchError::Control)?;
    let threads = fs::read_dir("/proc/self/task").map_err(LaunchError::Control)?.count();
    if threads != 1 {
        return Err(LaunchError::Threads(threads));
    }
    // A run that shares our uid may have made the image unreadable, which the kernel answers by hiding our own /proc files from us.
    prctl::set_dumpable(true).map_err(|error| LaunchError::Control(error.into()))?;
    let mut control = Some(take_standard_input().map_err(LaunchError::Control)?);
    let Some((spec, descriptors)) = receive_spec(control.as_ref()).map_err(LaunchError::Control)? else {
        // The worker died before it asked for anything.
        std::process::exit(0);
    };
    let [tools, liveness] = <[OwnedFd; 2]>::try_from(descriptors).map_err(|_| LaunchError::Descriptors)?;
    let refusal = match guard::run(&spec, Inherited { tools, liveness }, &mut control) {
        Ok(entered) => return Ok(entered),
        Err(refusal) => refusal,
    };
    if let Some(control) = control {
        protocol::send(control.as_fd(), &Report::Refused(refusal.clone()), &[]).map_err(LaunchError::Control)?;
    }
    Err(refusal.into())
}

/// Moves the control socket away from descriptor 0, which gets `/dev/null`.
fn take_standard_input() -> io::Result<OwnedFd> {
    let control = io::stdin().as_fd().try_clone_to_owned()?;
    nix::unistd::dup2_stdin(File::open("/dev/null")?)?;
    Ok(control)
}

fn receive_spec(control: Option<&OwnedFd>) -> io::Result<Option<(LaunchSpec, Vec<OwnedFd>)>> {
    control.map_or(Ok(None), |control| protocol::receive(control.as_fd()))
}
