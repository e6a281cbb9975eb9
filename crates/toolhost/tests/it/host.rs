//! The real binary at the other end of a socket pair.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use wire::frame::{read_frame, write_frame};
use wire::hands::{Call, File, FromHands, HandLimits, LoadFailure, LoadedTool, Setup, ToHands, ToolModule, ToolOutcome};
use wire::message::Block;

/// No answer of a healthy host takes longer, on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Host {
    child: Child,
    socket: UnixStream,
    pub(crate) directory: TempDir,
    pub(crate) tools: Vec<LoadedTool>,
    pub(crate) failures: Vec<LoadFailure>,
    next: u64,
    /// Everything that came before the last answer.
    pub(crate) lines: Vec<(String, String)>,
    pub(crate) updates: Vec<(u64, Vec<Block>)>,
    early: BTreeMap<u64, ToolOutcome>,
}

pub(crate) fn start(directory: &Path) -> (Child, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("socket pair");
    ours.set_read_timeout(Some(PATIENCE)).expect("timeout");
    let child = Command::new(env!("CARGO_BIN_EXE_appstrate-toolhost"))
        .arg("--workspace")
        .arg(directory)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()
        .expect("toolhost starts");
    (child, ours)
}

pub(crate) fn setup() -> Setup {
    Setup { environment: [("GREETING".to_owned(), "hello".to_owned())].into(), ..Setup::default() }
}

/// A setup with the packages of these directories.
pub(crate) fn with_packages(directories: &[PathBuf]) -> Setup {
    let mut setup = setup();
    for source in directories {
        let name = source.file_name().expect("name").to_str().expect("utf-8");
        add_files(&mut setup.files, source, &format!(".tools/{name}"));
        setup.tools.push(module(name, "index.ts"));
    }
    setup
}

pub(crate) fn module(name: &str, entrypoint: &str) -> ToolModule {
    let package = format!("@test/{name}").parse().expect("package name");
    ToolModule { package, directory: format!(".tools/{name}"), entrypoint: entrypoint.to_owned() }
}

/// A setup with one package of one module.
pub(crate) fn with_source(source: &str) -> Setup {
    let mut setup = setup();
    setup.files.push(file(".tools/one/index.ts", source));
    setup.tools.push(module("one", "index.ts"));
    setup
}

pub(crate) fn file(path: &str, content: impl AsRef<[u8]>) -> File {
    File { path: path.to_owned(), content: content.as_ref().to_vec(), mode: 0o644 }
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn add_files(files: &mut Vec<File>, source: &Path, target: &str) {
    for entry in fs::read_dir(source).expect("package directory") {
        let entry = entry.expect("entry");
        let path = format!("{target}/{}", entry.file_name().to_str().expect("utf-8"));
        if entry.path().is_dir() {
            add_files(files, &entry.path(), &path);
        } else {
            files.push(file(&path, fs::read(entry.path()).expect("reads")));
        }
    }
}

impl Host {
    pub(crate) fn new(setup: Setup) -> Self {
        let directory = tempfile::tempdir().expect("temp");
        let (child, socket) = start(directory.path());
        let mut host = Self {
            child,
            socket,
            directory,
            tools: vec![],
            failures: vec![],
            next: 1,
            lines: vec![],
            updates: vec![],
            early: BTreeMap::new(),
        };
        host.send(&ToHands::Setup(setup));
        while host.early.is_empty() {
            match host.receive().expect("an answer to the setup") {
                FromHands::Ready { tools, failures } => {
                    (host.tools, host.failures) = (tools, failures);
                    break;
                }
                FromHands::Line { tool, text } => host.lines.push((tool, text)),
                other => panic!("{other:?}"),
            }
        }
        host
    }

    pub(crate) fn plain() -> Self {
        Self::new(setup())
    }

    pub(crate) fn limited(mut setup: Setup, memory: u64, timeout: Duration) -> Self {
        let call_timeout_ms = u64::try_from(timeout.as_millis()).expect("small");
        setup.limits = HandLimits { call_timeout_ms, tool_memory_bytes: memory };
        Self::new(setup)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().expect("real").join(name)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn send(&mut self, message: &ToHands) {
        write_frame(&mut self.socket, message).expect("sends");
    }

    pub(crate) fn receive(&mut self) -> Option<FromHands> {
        read_frame(&mut self.socket).expect("receives")
    }

    pub(crate) fn begin(&mut self, tool: &str, arguments: Value, timeout: Option<Duration>) -> u64 {
        let call = self.next;
        self.next += 1;
        let timeout_ms = timeout.map(|time| u64::try_from(time.as_millis()).expect("small"));
        self.send(&ToHands::Call(Call { call, tool_call_id: format!("toolu_{call}"), tool: tool.to_owned(), arguments, timeout_ms }));
        call
    }

    /// Waits for the one end of a call.
    pub(crate) fn end(&mut self, call: u64) -> ToolOutcome {
        loop {
            if let Some(outcome) = self.early.remove(&call) {
                return outcome;
            }
            match self.receive().expect("the host lives") {
                FromHands::Done { call, outcome } => assert!(self.early.insert(call, outcome).is_none(), "two ends of call {call}"),
                FromHands::Line { tool, text } => self.lines.push((tool, text)),
                FromHands::Update { call, content } => self.updates.push((call, content)),
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> ToolOutcome {
        let call = self.begin(tool, arguments, None);
        self.end(call)
    }

    /// The text of a call that must succeed.
    pub(crate) fn ok(&mut self, tool: &str, arguments: Value) -> String {
        let outcome = self.call(tool, arguments);
        assert!(!outcome.is_error, "{outcome:?}");
        text(&outcome)
    }

    /// The text of a call that must fail.
    pub(crate) fn fails(&mut self, tool: &str, arguments: Value) -> String {
        let outcome = self.call(tool, arguments);
        assert!(outcome.is_error, "{outcome:?}");
        text(&outcome)
    }

    /// Closes the socket and waits for the end of the process.
    pub(crate) fn close(&mut self) -> std::process::ExitStatus {
        self.socket.shutdown(std::net::Shutdown::Both).expect("closes");
        wait(&mut self.child)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("waits");
    }
}

pub(crate) fn wait(child: &mut Child) -> std::process::ExitStatus {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("waits") {
            return status;
        }
        assert!(Instant::now() < until, "the host does not end");
        std::thread::yield_now();
    }
}

pub(crate) fn text(outcome: &ToolOutcome) -> String {
    let texts = outcome.content.iter().filter_map(|block| if let Block::Text { text } = block { Some(text.as_str()) } else { None });
    texts.collect::<Vec<_>>().join("\n")
}
