//! The credential proxy: carries out provider requests with credentials that the agent never sees.
//!
//! | module | holds |
//! |---|---|
//! | [`pipeline`] | one request through the phases |
//! | [`phase`] | match provider → URL policy → resolve and pin → inject → forward → redact → record |
//! | [`context`] | what the phases share |
//! | [`server`] | `http://sidecar:8080` |
//! | [`provider`], [`pattern`], [`template`], [`jar`], [`mask`] | the parts |

pub mod context;
mod escape;
pub mod jar;
pub mod mask;
pub mod pattern;
pub mod phase;
pub mod pipeline;
pub mod provider;
pub mod refusal;
pub mod server;
pub mod template;

pub use pipeline::{Proxy, ProxyParts};
pub use provider::{Catalog, Provider};
pub use refusal::Refusal;
