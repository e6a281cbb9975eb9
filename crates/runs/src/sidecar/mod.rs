//! The per-run process, seen from the worker: [`process`] starts one, [`pool`] keeps some ready, [`link`] talks to it.

pub(crate) mod link;
pub mod pool;
pub mod process;
