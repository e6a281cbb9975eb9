//! Workers and sandboxes for the stories.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use sandbox::{Handle, NamespaceSandbox, Sandbox, SandboxSpec, Started, ToolhostImage, UidRange};
use tempfile::TempDir;
use wire::run_spec::SandboxLimits;

pub(crate) const MIB: u64 = 1024 * 1024;
/// A user that owns nothing.
const NOBODY: &str = "65534";

pub(crate) fn running_as_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Small limits, so that they are reached soon.
pub(crate) fn limits() -> SandboxLimits {
    SandboxLimits { memory_bytes: 96 * MIB, workspace_bytes: 16 * MIB, processes: 40, cpu_percent: 100 }
}

/// The probe's binary as the image of a tool host.
pub(crate) fn image() -> Arc<ToolhostImage> {
    Arc::new(ToolhostImage::open(Path::new(env!("CARGO_BIN_EXE_sandbox-probe"))).expect("the probe is built"))
}

pub(crate) fn sandbox() -> NamespaceSandbox {
    NamespaceSandbox::new(image(), UidRange::default())
}

/// A running sandbox whose tool host is the probe.
pub(crate) struct Running {
    pub(crate) probe: Probe<UnixStream, UnixStream>,
    pub(crate) proxy: std::net::TcpListener,
    pub(crate) forward: std::net::TcpListener,
    pub(crate) handle: Handle,
}

impl Running {
    pub(crate) async fn start(sandbox: &NamespaceSandbox, name: &str) -> Self {
        let Started { tools, proxy, forward, handle } =
            sandbox.start(SandboxSpec::new(name, limits(), image())).await.expect("the sandbox starts");
        let tools = UnixStream::from(tools);
        let probe = Probe { requests: tools.try_clone().unwrap(), answers: BufReader::new(tools) };
        Self { probe, proxy: proxy.into(), forward: forward.into(), handle }
    }
}

/// A worker in a process of its own.
pub(crate) struct Worker {
    pub(crate) child: Child,
    pub(crate) guard: u32,
    pub(crate) cgroup: String,
    pub(crate) probe: Probe<ChildStdin, ChildStdout>,
    _directory: TempDir,
}

/// A copy of the probe's binary that every user can run.
pub(crate) fn public_binary() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    let binary = directory.path().join("sandbox-probe");
    fs::copy(env!("CARGO_BIN_EXE_sandbox-probe"), &binary).unwrap();
    fs::set_permissions(&binary, Permissions::from_mode(0o755)).unwrap();
    (directory, binary)
}

/// A command that a user without any privilege runs.
pub(crate) fn as_ordinary_user(program: &str) -> Command {
    if !running_as_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps=-all", program]);
    command
}

/// Who the worker is and what it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    AsIs,
    AsIsWithoutCgroups,
    Ordinary,
}

impl Worker {
    /// Starts a worker that carries a secret in its environment and leaks an open descriptor of a file that only it may read.
    pub(crate) fn start(kind: Kind) -> Self {
        let (directory, binary) = public_binary();
        let mut command = if kind == Kind::Ordinary { as_ordinary_user("sh") } else { Command::new("sh") };
        let script = "exec 9</etc/passwd; exec \"$0\" worker \"$1\"";
        let cgroups = if kind == Kind::AsIsWithoutCgroups { "none" } else { "some" };
        command.args(["-c", script]).arg(&binary).arg(cgroups).env("CANARY_SECRET", "canary-in-environment");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the worker starts");
        let requests = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut header = String::new();
        answers.read_line(&mut header).unwrap();
        let mut header = header.split_whitespace();
        let guard = header.next().expect("the worker found a sandbox available").parse().unwrap();
        let cgroup = header.next().unwrap().to_owned();
        Self { child, guard, cgroup, probe: Probe { requests, answers }, _directory: directory }
    }

    /// Waits until the kernel has ended it, killing it first if need be.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Speaks to the probe.
pub(crate) struct Probe<W, R> {
    pub(crate) requests: W,
    pub(crate) answers: BufReader<R>,
}

impl<W: Write, R: std::io::Read> Probe<W, R> {
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.send(line);
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    pub(crate) fn send(&mut self, line: &str) {
        writeln!(self.requests, "{line}").unwrap();
        self.requests.flush().unwrap();
    }

    /// Blocks until the other side is gone.
    pub(crate) fn wait_for_end(&mut self) -> bool {
        let mut answer = String::new();
        matches!(self.answers.read_line(&mut answer), Ok(0) | Err(_))
    }

    pub(crate) fn attempt(&mut self, name: &str, argument: &str) -> String {
        self.ask(&format!("attempt {name}\t{argument}"))
    }

    pub(crate) fn shell(&mut self, script: &str) -> String {
        self.ask(&format!("sh {script}"))
    }
}

/// Every process below `root`, itself included, that is not a zombie.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((_, fields)) = stat.rsplit_once(") ") else { continue };
        let mut fields = fields.split(' ');
        let (state, parent) = (fields.next().unwrap().to_owned(), fields.next().unwrap().parse::<u32>().unwrap());
        if state != "Z" {
            parents.push((pid, parent));
        }
    }
    let mut found: Vec<u32> = parents.iter().map(|(pid, _)| *pid).filter(|pid| *pid == root).collect();
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// Cgroup directories below every hierarchy that end with the pid of this guard.
pub(crate) fn cgroups_of(guard: u32) -> Vec<PathBuf> {
    let suffix = format!("-{guard}");
    let mut pending = vec![PathBuf::from("/sys/fs/cgroup")];
    let mut found = Vec::new();
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            // Links are the aliases of joint controllers.
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("appstrate-") && name.ends_with(&suffix) {
                found.push(entry.path());
            }
            pending.push(entry.path());
        }
    }
    found
}

/// Waits until `process` is gone, without being its parent.
pub(crate) fn wait_until_gone(process: u32) {
    let Ok(descriptor) = pidfd(process) else { return };
    let mut descriptors = [nix::poll::PollFd::new(std::os::fd::AsFd::as_fd(&descriptor), nix::poll::PollFlags::POLLIN)];
    assert_eq!(nix::poll::poll(&mut descriptors, 10_000_u16), Ok(1), "process {process} still lives after ten seconds");
}

#[expect(unsafe_code, reason = "std has pidfd_open only for children of its own")]
fn pidfd(process: u32) -> std::io::Result<std::os::fd::OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: plain numbers; the result is a new descriptor or an error.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) };
    if raw < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { std::os::fd::OwnedFd::from_raw_fd(i32::try_from(raw).unwrap()) })
}
