//! Serves one run over one socket: setup first, then calls, several at a time, each answered by exactly one `Done`.

pub(crate) mod calls;
mod outbox;

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use wire::frame;
use wire::hands::{FromHands, Setup, ToHands, ToolOutcome};

use crate::script::{Packages, Surroundings};
use crate::shell::{self, Children, Shell};
use crate::workspace::{PutError, Workspace};

use calls::Calls;
pub(crate) use outbox::Outbox;

/// Why the host stopped before the peer closed the socket.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("the socket failed: {0}")]
    Socket(#[source] io::Error),
    #[error("the workspace could not be opened: {0}")]
    Workspace(#[source] io::Error),
    #[error("the setup could not be carried out: {0}")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("a thread could not be started: {0}")]
    Thread(#[source] io::Error),
    #[error("the peer broke the protocol: {0}")]
    Protocol(&'static str),
}

/// What every call works on.
pub(crate) struct Host {
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) shell: Shell,
    pub(crate) packages: Packages,
    pub(crate) outbox: Arc<Outbox>,
}

/// Serves the run until the peer closes the socket, then kills whatever the calls started.
///
/// The calling process is expected to end afterwards: threads of calls that were under way die with it.
pub fn serve(socket: UnixStream, workspace: &Path) -> Result<(), HostError> {
    let mut reader = socket.try_clone().map_err(HostError::Socket)?;
    let outbox = Arc::new(Outbox::new(socket));
    let workspace = Arc::new(Workspace::open(workspace).map_err(HostError::Workspace)?);
    let Some(first) = frame::read_frame(&mut reader).map_err(HostError::Socket)? else { return Ok(()) };
    let ToHands::Setup(setup) = first else { return Err(HostError::Protocol("the first message was no setup")) };
    let default_timeout_ms = setup.limits.call_timeout_ms;
    let children = Children::watch().map_err(HostError::Thread)?;
    let host = match set_up(setup, workspace, children, Arc::clone(&outbox)) {
        Ok(host) => Arc::new(host),
        Err(error) => {
            outbox.send(&FromHands::Failed { message: error.to_string() });
            return Err(HostError::Setup(error.into()));
        }
    };
    let calls = Calls::new(Arc::clone(&host), default_timeout_ms)?;
    let end = read_until_closed(&mut reader, &host, &calls);
    shell::kill_everything();
    end
}

fn read_until_closed(reader: &mut UnixStream, host: &Host, calls: &Calls) -> Result<(), HostError> {
    while let Some(message) = frame::read_frame(reader).map_err(HostError::Socket)? {
        match message {
            ToHands::Setup(_) => return Err(HostError::Protocol("a second setup")),
            // In order with its neighbors: a large file comes as a row of appends.
            ToHands::Put { call, file, append } => {
                let outcome = match host.workspace.put(&file, append) {
                    Ok(()) => ToolOutcome::text(format!("Wrote {} bytes to {}", file.content.len(), file.path)),
                    Err(error) => ToolOutcome::error(error.to_string()),
                };
                host.outbox.done(call, outcome);
            }
            ToHands::Call(call) => calls.start(call)?,
            ToHands::Cancel { call } => calls.cancel(call),
        }
    }
    Ok(())
}

fn set_up(setup: Setup, workspace: Arc<Workspace>, children: Children, outbox: Arc<Outbox>) -> Result<Host, PutError> {
    for file in &setup.files {
        workspace.put(file, false)?;
    }
    let environment = Arc::new(setup.environment);
    let shell = Shell::new(Arc::clone(&environment), children);
    let surroundings = Surroundings {
        workspace: Arc::clone(&workspace),
        outbox: Arc::clone(&outbox),
        environment,
        memory_bytes: setup.limits.tool_memory_bytes,
    };
    let (packages, loaded, failures) = Packages::load(setup.tools, surroundings);
    outbox.send(&FromHands::Ready { tools: loaded, failures });
    Ok(Host { workspace, shell, packages, outbox })
}
