//! The failures that the worker itself ends a run with, in the words that users read.

use wire::run_event::{Failure, FailureCode};

pub(crate) fn cancelled() -> Failure {
    Failure::new(FailureCode::Cancelled, "The run was cancelled.")
}

pub(crate) fn timed_out(timeout_ms: u64) -> Failure {
    Failure::new(FailureCode::TimedOut, format!("The run reached its time limit of {} s.", timeout_ms.div_ceil(1000)))
}

pub(crate) fn server_stopping() -> Failure {
    Failure::new(FailureCode::ServerRestarted, "The server was stopped while the run was going on.")
}

pub(crate) fn sidecar_lost() -> Failure {
    Failure::new(FailureCode::SidecarLost, "The process that carried the run out has died. Starting the run again may help.")
}

pub(crate) fn internal() -> Failure {
    Failure::new(FailureCode::Internal, "The platform failed while it carried the run out. The fault is not the agent's.")
}

pub(crate) fn not_prepared(message: impl Into<String>) -> Failure {
    Failure::new(FailureCode::PreparationFailed, message)
}
