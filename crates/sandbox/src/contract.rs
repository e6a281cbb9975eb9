//! The trait of the rungs, what goes into a sandbox and what comes out.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use wire::run_spec::SandboxLimits;

use crate::{Refusal, ToolhostImage};

/// A way to isolate the hands of a run. Nothing falls back from one rung to another silently.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// The rung's name, recorded on the run: `namespace`, ….
    fn rung(&self) -> &'static str;

    /// Builds a whole sandbox once and takes it down again.
    ///
    /// `Err`: this machine does not let the rung work; says what was refused and the remedy.
    async fn probe(&self) -> Result<ProbeReport, Unavailable>;

    /// Builds a sandbox and starts the tool host in it. When this returns every restriction is in force.
    async fn start(&self, spec: SandboxSpec) -> Result<Started, SandboxError>;
}

/// What a sandbox is made from.
#[derive(Clone, Debug)]
pub struct SandboxSpec {
    /// The run's id: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    pub limits: SandboxLimits,
    pub toolhost: Arc<ToolhostImage>,
    /// Names besides `localhost` that resolve to 127.0.0.1 inside.
    pub host_names: Vec<String>,
}

impl SandboxSpec {
    /// A spec with `sidecar` as the only extra host name.
    pub fn new(name: impl Into<String>, limits: SandboxLimits, toolhost: Arc<ToolhostImage>) -> Self {
        Self { name: name.into(), limits, toolhost, host_names: vec!["sidecar".to_owned()] }
    }
}

/// A running sandbox.
#[derive(Debug)]
pub struct Started {
    /// Stream socket to the tool host, blocking.
    pub tools: OwnedFd,
    /// TCP listener on 127.0.0.1:8080 inside the sandbox, non-blocking.
    pub proxy: OwnedFd,
    /// TCP listener on 127.0.0.1:8081 inside the sandbox, non-blocking.
    pub forward: OwnedFd,
    pub handle: Handle,
}

/// Holds a sandbox alive. Dropping it kills every process of the sandbox; so does the end of this process, however it comes.
pub struct Handle {
    release: Mutex<Option<Release>>,
    exit: watch::Receiver<Option<Exit>>,
    guard: Option<u32>,
}

type Release = Box<dyn FnOnce() + Send>;

impl Handle {
    /// A handle whose `release` starts the end, and whose `exit` is filled when everything is gone.
    pub fn new(release: impl FnOnce() + Send + 'static, exit: watch::Receiver<Option<Exit>>, guard: Option<u32>) -> Self {
        Self { release: Mutex::new(Some(Box::new(release))), exit, guard }
    }

    /// The process that stands for the sandbox outside of it, if the rung has one; the tree hangs below.
    pub const fn guard(&self) -> Option<u32> {
        self.guard
    }

    /// Kills every process of the sandbox. [`Handle::wait`] tells when that is done. Repeating it does nothing.
    pub fn kill(&self) {
        let release = self.release.lock().expect("nothing panics under this lock").take();
        if let Some(release) = release {
            release();
        }
    }

    /// Waits until nothing of the sandbox is left. May be dropped and called again.
    pub async fn wait(&mut self) -> Exit {
        let lost = Exit { cause: ExitCause::Lost, memory_kills: 0 };
        match self.exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.clone().unwrap_or(lost),
            // The task that watched is gone with its runtime.
            Err(_) => lost,
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Handle").field("guard", &self.guard).field("exit", &*self.exit.borrow()).finish_non_exhaustive()
    }
}

/// How a sandbox ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    pub cause: ExitCause,
    /// How many processes were killed because the sandbox was out of memory; the tool host may have survived them.
    pub memory_kills: u64,
}

/// Why a sandbox ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCause {
    /// The tool host ended by itself.
    Finished { code: i32 },
    /// A signal ended the tool host.
    Signaled { signal: i32 },
    /// The tool host was killed because the sandbox was out of memory.
    OutOfMemory,
    /// [`Handle::kill`], or the handle was dropped.
    Killed,
    /// The sandbox vanished without a word: something outside killed it.
    Lost,
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    pub rung: &'static str,
    /// From the call of `start` to the tool host standing.
    pub start: Duration,
    /// `v1`, `v2`, or `none`: then init sums memory itself, and CPU has no limit.
    pub cgroup: &'static str,
    /// Which Landlock is in force: `abi 7`, or `none` where the kernel has none.
    pub landlock: String,
    /// The outer uid that runs have: a range, or the worker's own.
    pub users: String,
}

/// The rung does not work on this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {remedy}")]
pub struct Unavailable {
    /// What the kernel refused.
    pub what: String,
    /// What the operator can do, in words.
    pub remedy: String,
}

/// Why a sandbox did not start. Reads after "could not start the sandbox: ".
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the name {0:?} is not made of letters, digits, '_' and '-'")]
    Name(String),
    #[error("the host name {0:?} is not a host name")]
    HostName(String),
    #[error("every uid of the range is in use")]
    Uids,
    #[error("could not {0}")]
    Refused(#[source] Refusal),
    #[error("could not run the tool host")]
    Spawn(#[source] io::Error),
    #[error("could not talk to the launcher")]
    Control(#[source] io::Error),
    #[error("the launcher took too long")]
    Slow,
    #[error("the launcher ended before the tool host stood")]
    Vanished,
}
