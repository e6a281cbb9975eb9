//! Messages between the worker, the guard and the sandbox's init: JSON in one packet each, descriptors beside it.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wire::run_spec::SandboxLimits;

use crate::sys;

/// The most bytes that one message has. A spec has a few hundred.
const MESSAGE_MAX: usize = 64 * 1024;

/// What the worker asks for. Beside it travel two descriptors: the tools socket and the read end of the liveness pipe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LaunchSpec {
    /// The run's id; names the cgroup.
    pub(crate) name: String,
    pub(crate) limits: SandboxLimits,
    /// Names that resolve to 127.0.0.1 inside, besides `localhost`.
    pub(crate) host_names: Vec<String>,
    pub(crate) identity: Identity,
    pub(crate) cgroup: CgroupPlan,
}

/// Who the sandbox is outside of its user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Identity {
    /// The user that started it; an ordinary user cannot give another.
    Own,
    /// This uid, which is also the gid; for a worker that runs as root.
    Given(u32),
}

/// Where the sandbox's cgroups go: directories below which one may be created. `None` everywhere: init supervises memory itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CgroupPlan {
    #[default]
    None,
    V1 {
        memory: Option<PathBuf>,
        pids: Option<PathBuf>,
        cpu: Option<PathBuf>,
    },
    V2 {
        parent: PathBuf,
    },
}

impl CgroupPlan {
    #[cfg(feature = "launcher")]
    pub(crate) const fn limits_memory(&self) -> bool {
        matches!(self, Self::V1 { memory: Some(_), .. } | Self::V2 { .. })
    }

    /// `v1`, `v2` or `none`.
    #[cfg(feature = "worker")]
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::None | Self::V1 { memory: None, .. } => "none",
            Self::V1 { .. } => "v1",
            Self::V2 { .. } => "v2",
        }
    }
}

/// What the launcher tells the worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The tool host stands, every restriction is in force. Beside it travel the listeners of 127.0.0.1:8080 and :8081.
    Ready { landlock: String },
    /// The sandbox could not be built.
    Refused(Refusal),
    /// All of its processes are gone; the guard is about to end.
    Ended(Ended),
}

/// The end as the guard saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// How the tool host ended by itself; `None` when it was killed with the rest.
    pub(crate) host: Option<HostEnd>,
    /// How often a process was killed for memory.
    pub(crate) memory_kills: u64,
    /// A cgroup that would not go away, and why.
    pub(crate) leftover: Option<String>,
}

/// How the tool host ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HostEnd {
    Exited(i32),
    Signaled(i32),
}

/// What init tells the guard.
#[cfg(feature = "launcher")]
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum InitReport {
    HostEnded(HostEnd),
    MemoryKill,
}

/// A step of the launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    Namespaces,
    IdMap,
    Cgroup,
    Identity,
    Network,
    Root,
    Proc,
    Limits,
    Capabilities,
    Landlock,
    Seccomp,
    Start,
}

impl Step {
    /// Reads after "could not".
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Namespaces => "create the namespaces",
            Self::IdMap => "map the user of the sandbox",
            Self::Cgroup => "limit the sandbox with cgroups",
            Self::Identity => "become the user of the sandbox",
            Self::Network => "set up the sandbox's loopback",
            Self::Root => "build the sandbox's file system",
            Self::Proc => "mount /proc in the sandbox",
            Self::Limits => "set resource limits",
            Self::Capabilities => "drop capabilities",
            Self::Landlock => "apply Landlock",
            Self::Seccomp => "install the system call filter",
            Self::Start => "start the tool host",
        }
    }
}

/// A step that the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{} ({detail}): {}", .step.describe(), Errno::from_raw(*.errno).desc())]
pub struct Refusal {
    pub step: Step,
    pub errno: i32,
    /// The path or call that was refused.
    pub detail: String,
}

#[cfg(feature = "launcher")]
impl Refusal {
    pub(crate) fn new(step: Step, detail: impl Into<String>, error: impl Into<io::Error>) -> Self {
        Self { step, errno: error.into().raw_os_error().unwrap_or(libc::EIO), detail: detail.into() }
    }
}

/// Sends one message, with descriptors beside it.
pub(crate) fn send(socket: BorrowedFd<'_>, message: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control = if raw.is_empty() { &rights[..0] } else { &rights[..] };
    sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(&bytes)], control, MsgFlags::MSG_NOSIGNAL, None)?;
    Ok(())
}

/// Receives one message with the descriptors beside it; `None` at the end of the stream.
pub(crate) fn receive<T: DeserializeOwned>(socket: BorrowedFd<'_>) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut buffer = vec![0; MESSAGE_MAX];
    let mut control = nix::cmsg_space!([RawFd; 4]);
    let mut slices = [IoSliceMut::new(&mut buffer)];
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let descriptors = message
        .cmsgs()?
        .filter_map(|each| match each {
            ControlMessageOwned::ScmRights(raw) => Some(raw),
            _ => None,
        })
        .flatten()
        .map(sys::adopt)
        .collect();
    let length = message.bytes;
    if length == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&buffer[..length])?, descriptors)))
}
