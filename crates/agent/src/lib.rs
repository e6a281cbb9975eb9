//! Prompt assembly and the model loop of one run, over traits. No I/O of its own.
//!
//! | module | owns |
//! |---|---|
//! | [`prompt`] | the system text and the first user message, as pure functions |
//! | [`tools`] | the tools a model is offered, and those the loop carries out itself |
//! | [`model`] | the trait of a language model |
//! | [`port`] | the other traits: hands, journal, ledger, timer |
//! | [`cancel`] | the request to stop |
//! | `turns` | the loop: [`run`] |
//!
//! Data flows one way: `runs` assembles prompt and tools at preflight, `sidecar` passes the frozen spec to [`run`], which returns
//! the outcome. Everything that happened in between went through the journal first.

pub mod cancel;
pub mod model;
pub mod port;
pub mod prompt;
pub mod tools;
mod turns;

pub use cancel::Cancel;
pub use model::{CacheMarkers, DeltaSink, Model, ModelError, ModelErrorKind, Turn, TurnRequest};
pub use port::{HandCall, Hands, HandsLost, Journal, Ledger, PortLost, Ports, Settlement, Timer, TokioTimer};
pub use turns::run;
