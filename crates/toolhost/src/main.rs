//! `appstrate-toolhost [--workspace <directory>]`: serves the socket that it inherited as descriptor 0.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

use toolhost::host;

const DEFAULT_WORKSPACE: &str = "/workspace";

fn main() -> ExitCode {
    // The launcher goes here: `launch` as first argument enters the namespaces, before any thread exists, and returns inside the sandbox.
    let outcome = workspace(std::env::args().skip(1)).and_then(|workspace| {
        let socket = io::stdin().as_fd().try_clone_to_owned().map_err(|error| format!("could not take the socket: {error}"))?;
        host::serve(UnixStream::from(socket), &workspace).map_err(|error| format!("could not serve the run: {error}"))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nobody is left to tell when standard error is gone too.
            let _unreported = writeln!(io::stderr(), "appstrate-toolhost: {message}");
            ExitCode::FAILURE
        }
    }
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
