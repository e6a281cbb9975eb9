//! The server binary: reads the configuration, wires the parts, plays its roles.
//!
//! | file | owns |
//! |---|---|
//! | `accounts.rs` | mail and login with others |
//! | `env.rs` | every setting |
//! | `http.rs` | connections: how long they may be silent, how they end |
//! | `writing.rs` | what is written to clients that do not read |
//! | `keys.rs` | the master key |
//! | `logs.rs` | where logs go |
//! | `isolation.rs` | the sandbox, probed once |
//! | `audit.rs` | `appstrate audit` |
//! | `serve.rs` | the wiring of `appstrate serve` |
//! | `sidecar.rs` | the process of one run |
//! | `upkeep.rs` | what is deleted when its time is over |
//! | `documents.rs` | the generated reference pages, as a test |

mod accounts;
mod audit;
#[cfg(test)]
mod documents;
mod env;
mod http;
mod isolation;
mod keys;
mod logs;
mod serve;
mod sidecar;
mod upkeep;
mod writing;

use std::process::ExitCode;

use clap::Parser as _;

use crate::env::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(options) => serve::main(*options),
        Command::Audit(command) => audit::main(command),
        Command::Sidecar { log_level } => sidecar::main(&log_level),
    }
}
