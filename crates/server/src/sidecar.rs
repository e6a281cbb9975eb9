//! `appstrate sidecar`: the process of one run. Descriptor 0 is the worker's control socket, descriptor 1 its socket for descriptors.

use std::process::ExitCode;

use crate::logs;

pub(crate) fn main(log_level: &str) -> ExitCode {
    if let Err(error) = logs::start(log_level, false) {
        // Nothing can be logged; the worker sees the exit code.
        drop(error);
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(sidecar::main()),
        Err(error) => {
            tracing::error!(%error, "could not start the runtime");
            ExitCode::FAILURE
        }
    }
}
