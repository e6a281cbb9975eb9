//! One sidecar process: its two sockets, its life and its death.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::control::FromSidecar;

/// How long a fresh process may take until it says [`FromSidecar::Ready`].
const READY_WITHIN: Duration = Duration::from_secs(10);

/// The longest line of a sidecar's standard error that is logged whole, in bytes.
const LOG_LINE_BYTES: u64 = 8 * 1024;

/// Starts sidecars. Tests put a scripted task in the place of the process.
#[async_trait]
pub trait Launch: Send + Sync {
    /// A new sidecar, not yet ready.
    async fn launch(&self) -> io::Result<Sidecar>;
}

/// A sidecar with its sockets. Dropped, its process is killed.
#[derive(Debug)]
pub struct Sidecar {
    /// Frames of JSON both ways.
    pub(crate) control: UnixStream,
    /// Descriptors towards the sidecar.
    pub(crate) descriptors: OwnedFd,
    pub(crate) process: Process,
}

impl Sidecar {
    pub fn new(control: UnixStream, descriptors: OwnedFd, process: Process) -> Self {
        Self { control, descriptors, process }
    }

    /// Waits until the process says that it may be given a run.
    pub(crate) async fn ready(mut self) -> io::Result<Self> {
        let first = tokio::time::timeout(READY_WITHIN, wire::frame::receive(&mut self.control))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the sidecar did not become ready"))??;
        match first {
            Some(FromSidecar::Ready) => Ok(self),
            Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the sidecar spoke before it was ready")),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the sidecar ended before it was ready")),
        }
    }
}

/// The life of one process (or of the task that stands for it in a test).
#[derive(Debug)]
pub struct Process {
    kill: CancellationToken,
    exited: CancellationToken,
    _kill_on_drop: DropGuard,
}

impl Process {
    /// `kill` is cancelled to end the process; whoever watches it cancels `exited` once it is gone.
    pub fn new(kill: CancellationToken, exited: CancellationToken) -> Self {
        Self { _kill_on_drop: kill.clone().drop_guard(), kill, exited }
    }

    /// Cancelled once the process is gone.
    pub(crate) fn exited(&self) -> &CancellationToken {
        &self.exited
    }

    /// Kills the process and waits until it is gone. Safe to repeat.
    pub(crate) async fn kill(&self) {
        self.kill.cancel();
        self.exited.cancelled().await;
    }
}

/// Starts `<program> sidecar` with no environment and two socket pairs.
#[derive(Clone, Debug)]
pub struct Launcher {
    program: PathBuf,
    log_level: String,
}

impl Launcher {
    /// `program` is the server's own binary. `log_level` travels as the second argument, because there is no environment.
    pub fn new(program: PathBuf, log_level: impl Into<String>) -> Self {
        Self { program, log_level: log_level.into() }
    }
}

#[async_trait]
impl Launch for Launcher {
    async fn launch(&self) -> io::Result<Sidecar> {
        let (control, its_control) = std::os::unix::net::UnixStream::pair()?;
        let (descriptors, its_descriptors) = std::os::unix::net::UnixStream::pair()?;
        control.set_nonblocking(true)?;
        let mut child = Command::new(&self.program)
            .args(["sidecar", self.log_level.as_str()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(its_control)))
            .stdout(Stdio::from(OwnedFd::from(its_descriptors)))
            .stderr(Stdio::piped())
            // A Ctrl-C in the terminal reaches the server alone, which then ends its runs in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id();
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(log_lines(stderr, pid));
        }
        let (kill, exited) = (CancellationToken::new(), CancellationToken::new());
        tokio::spawn(watch(child, kill.clone(), exited.clone()));
        Ok(Sidecar::new(UnixStream::from_std(control)?, descriptors.into(), Process::new(kill, exited)))
    }
}

async fn watch(mut child: Child, kill: CancellationToken, exited: CancellationToken) {
    // Set on every way out, also when the runtime drops this task.
    let _exited = exited.drop_guard();
    let pid = child.id();
    let ended = tokio::select! {
        ended = child.wait() => ended,
        () = kill.cancelled() => match child.start_kill() {
            Ok(()) => child.wait().await,
            Err(error) => Err(error),
        },
    };
    match ended {
        Ok(status) if kill.is_cancelled() || status.success() => tracing::debug!(sidecar.pid = pid, %status, "a sidecar ended"),
        Ok(status) => tracing::warn!(sidecar.pid = pid, %status, "a sidecar died"),
        Err(error) => tracing::error!(sidecar.pid = pid, %error, "could not wait for a sidecar"),
    }
}

async fn log_lines(stderr: ChildStderr, pid: Option<u32>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(LOG_LINE_BYTES).read_until(b'\n', &mut line).await {
            Ok(0) => return,
            Ok(_) => tracing::info!(sidecar.pid = pid, "sidecar: {}", String::from_utf8_lossy(&line).trim_end()),
            Err(error) => {
                tracing::warn!(sidecar.pid = pid, %error, "could not read what a sidecar logs");
                return;
            }
        }
    }
}
