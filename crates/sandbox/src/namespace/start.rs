//! Starting one sandbox.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::pipe2;
use tokio::io::Interest;
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::NamespaceSandbox;
use super::watch::{CLEAN_UP_PATIENCE, Watch};
use crate::contract::{Handle, SandboxError, SandboxSpec, Started};
use crate::protocol::{self, LaunchSpec, Report};

/// Argument that makes the tool host's binary the launcher.
const LAUNCH: &str = "launch";

/// How long a launcher may take. It needs some milliseconds; a machine that swaps needs seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a sandbox; also says how far Landlock reaches.
pub(super) async fn start(sandbox: &NamespaceSandbox, spec: SandboxSpec) -> Result<(Started, String), SandboxError> {
    check(&spec)?;
    let lease = sandbox.uids.take().ok_or(SandboxError::Uids)?;
    let (tools, tools_inside) = UnixStream::pair().map_err(SandboxError::Spawn)?;
    // When this end closes, and be it by the death of this process, the sandbox ends.
    let (liveness_inside, liveness) = pipe2(OFlag::O_CLOEXEC).map_err(|error| SandboxError::Spawn(error.into()))?;
    let (control, control_inside) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|error| SandboxError::Spawn(error.into()))?;
    let child = spawn(&spec, control_inside)?;
    let guard = child.id();

    let launch = LaunchSpec {
        name: spec.name,
        limits: spec.limits,
        host_names: spec.host_names,
        identity: lease.identity(),
        cgroup: sandbox.cgroup.clone(),
    };
    let inside: [OwnedFd; 2] = [tools_inside.into(), liveness_inside];
    match protocol::send(control.as_fd(), &launch, &[inside[0].as_fd(), inside[1].as_fd()]) {
        // It ended before it read; what it may have said, or its silence, is read below.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        sent => sent.map_err(SandboxError::Control)?,
    }
    drop(inside);

    let mut reports = Reports::new(control).map_err(SandboxError::Control)?;
    let Ok(first) = tokio::time::timeout(PATIENCE, reports.next()).await else {
        abandon(child, liveness).await;
        return Err(SandboxError::Slow);
    };
    let (landlock, listeners) = match first.map_err(SandboxError::Control)? {
        Some((Report::Ready { landlock }, listeners)) => (landlock, listeners),
        Some((Report::Refused(refusal), _)) => {
            abandon(child, liveness).await;
            return Err(SandboxError::Refused(refusal));
        }
        Some((Report::Ended(_), _)) | None => {
            abandon(child, liveness).await;
            return Err(SandboxError::Vanished);
        }
    };
    let [proxy, forward] = <[OwnedFd; 2]>::try_from(listeners).map_err(|_| SandboxError::Vanished)?;
    let (exit, exited) = watch::channel(None);
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(Watch { child, reports, released, cgroup: sandbox.cgroup.clone(), lease }.run(exit));
    // The watch must know that the end was wished for before the guard learns of it.
    let let_go = move || {
        drop(release);
        drop(liveness);
    };
    Ok((Started { tools: tools.into(), proxy, forward, handle: Handle::new(let_go, exited, guard) }, landlock))
}

/// Runs the binary with nothing of this process: no environment, no descriptor but the control socket, no terminal.
fn spawn(spec: &SandboxSpec, control: OwnedFd) -> Result<Child, SandboxError> {
    let image = spec.toolhost.path().map_err(SandboxError::Spawn)?;
    let mut command = Command::new(image);
    command.arg0("appstrate-toolhost").arg(LAUNCH).env_clear();
    command.stdin(Stdio::from(control)).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(SandboxError::Spawn)
}

/// Ends the launcher of a sandbox that did not come to be.
async fn abandon(mut child: Child, liveness: OwnedFd) {
    drop(liveness);
    // It cleans up by itself; one that cannot is killed, and init with it.
    let ended = match tokio::time::timeout(CLEAN_UP_PATIENCE, child.wait()).await {
        Ok(ended) => ended.map(drop),
        Err(_) => child.kill().await,
    };
    if let Err(error) = ended {
        tracing::warn!(%error, "could not end the launcher of a sandbox that did not start");
    }
}

/// The launcher's messages, awaited. The socket keeps packets apart; the stream type only registers it with the reactor.
#[derive(Debug)]
pub(super) struct Reports(tokio::net::UnixStream);

impl Reports {
    fn new(control: OwnedFd) -> io::Result<Self> {
        let socket = UnixStream::from(control);
        socket.set_nonblocking(true)?;
        Ok(Self(tokio::net::UnixStream::from_std(socket)?))
    }

    /// The next message; `None` when the launcher is gone. May be dropped and called again.
    pub(super) async fn next(&mut self) -> io::Result<Option<(Report, Vec<OwnedFd>)>> {
        match self.0.async_io(Interest::READABLE, || protocol::receive(self.0.as_fd())).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
            result => result,
        }
    }
}

fn check(spec: &SandboxSpec) -> Result<(), SandboxError> {
    let plain = |text: &str, also: &[u8]| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte));
    if spec.name.is_empty() || spec.name.len() > 64 || !plain(&spec.name, b"_-") {
        return Err(SandboxError::Name(spec.name.clone()));
    }
    match spec.host_names.iter().find(|name| name.is_empty() || name.len() > 253 || !plain(name, b"-.")) {
        Some(name) => Err(SandboxError::HostName(name.clone())),
        None => Ok(()),
    }
}
