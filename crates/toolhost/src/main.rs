//! `appstrate-toolhost launch`: turns itself into a sandbox, then serves the run's sidecar from inside.
//!
//! `appstrate-toolhost [--workspace <directory>]` serves the socket that it inherited as descriptor 0, without isolation: for tests.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use toolhost::host;

const DEFAULT_WORKSPACE: &str = "/workspace";

fn main() -> ExitCode {
    // Before any thread exists: a thread would stay behind in the old namespaces.
    let outcome = if std::env::args().nth(1).as_deref() == Some("launch") { isolated() } else { inherited() };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nobody is left to tell when standard error is gone too.
            let _unreported = writeln!(io::stderr(), "appstrate-toolhost: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Enters the sandbox and serves the socket that came with it. On a failure before that the worker has been told already.
fn isolated() -> Result<(), String> {
    let entered = sandbox::launcher::enter().map_err(|error| format!("could not enter the sandbox: {error}"))?;
    host::serve(entered.socket, Path::new(DEFAULT_WORKSPACE)).map_err(|error| format!("could not serve the run: {error}"))
}

/// Serves the socket on descriptor 0.
fn inherited() -> Result<(), String> {
    let workspace = workspace(std::env::args().skip(1))?;
    let socket = io::stdin().as_fd().try_clone_to_owned().map_err(|error| format!("could not take the socket: {error}"))?;
    host::serve(UnixStream::from(socket), &workspace).map_err(|error| format!("could not serve the run: {error}"))
}

fn workspace(mut arguments: impl Iterator<Item = String>) -> Result<PathBuf, String> {
    let mut workspace = PathBuf::from(DEFAULT_WORKSPACE);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--workspace" => workspace = arguments.next().map(PathBuf::from).ok_or("--workspace needs a directory")?,
            other => return Err(format!("unknown argument '{other}'")),
        }
    }
    Ok(workspace)
}
