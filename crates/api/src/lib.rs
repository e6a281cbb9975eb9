//! The HTTP API: routes, the chain around them, problems, and the OpenAPI document.
//!
//! | module | owns |
//! |---|---|
//! | [`router`] | the whole route table |
//! | [`routes`] | one folder a resource, one file a verb: handler and its OpenAPI text |
//! | [`chain`] | what every request passes: id, authentication, version, audit |
//! | [`extract`] | what handlers take: `Can<P>`, bodies, pages, path parts |
//! | [`answer`] | what handlers return; a write's answer needs the proof of its commit |
//! | [`metrics`] | what the server counts about itself |
//! | [`sse`] | live streams: what they share, and one client of one |
//! | [`problem`] | RFC 9457, and the one exhaustive map from each layer's errors |
//! | [`openapi`] | the document, made from the handlers |
//! | [`versions`] | what older versions of the API say differently |
//!
//! `api → runs, auth, connect, store, wire, domain`. Knows no SQL.

pub mod answer;
pub mod app;
pub mod chain;
mod convert;
mod cookie;
pub mod extract;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod router;
pub mod routes;
mod rules;
mod run_log;
mod run_update;
pub mod sse;
pub mod versions;

pub use app::{App, Options, Parts};
pub use chain::rate_limit::class::Class;
pub use chain::rate_limit::settings::RateLimits;
pub use router::router;
