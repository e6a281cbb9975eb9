//! The tool host as the sidecar sees it: the real binary, a socket pair, a temporary workspace.

mod bad_input;
mod files;
mod guards;
mod host;
mod http;
mod protocol;
mod shell;
mod tools;
