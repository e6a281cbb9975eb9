//! The program inside the sandbox: shell, files and TypeScript tools, for one run.
//!
//! It knows nothing but its workspace and one inherited socket ([`wire::hands`]); what it reports is believed only as the result of a call.
//!
//! | module | owns |
//! |---|---|
//! | [`host`] | the socket: set up, take calls, answer each exactly once |
//! | [`control`] | deadline and cancellation of one call |
//! | [`workspace`] | which paths a call may name |
//! | [`files`] | `read`, `write`, `edit`, `ls`, `find`, `grep` |
//! | [`shell`] | `bash` and the processes it leaves |
//! | [`script`] | TypeScript tools: oxc strips the types, QuickJS runs the rest |

mod control;
mod files;
pub mod host;
mod output;
mod script;
mod shell;
mod workspace;
