//! Where the hands of a run work: isolation as a trait with rungs.
//!
//! - [`contract`]: the trait, what goes into a sandbox and what comes out. Feature `worker`.
//! - [`namespace`]: the rung `namespace`, the worker's side. Feature `worker`.
//! - [`image`]: the tool host's binary as sealed memory. Feature `worker`.
//! - [`launcher`]: the tool host's binary turning itself into the sandbox. Feature `launcher`, no tokio.
//! - `protocol`, `cgroup`, `sys`: what both sides share.
//!
//! ```text
//! worker ── control socket ──▶ guard (outside; cgroups, death)
//!    │                           └─ init (pid 1 of the sandbox; reaps)
//!    └── liveness pipe ────────────▶ └─ tool host (+ what it starts)
//! ```
//! Nothing in the sandbox holds the control socket; the tool host has one socket, to the run's sidecar.

mod cgroup;
mod protocol;
mod sys;

#[cfg(feature = "worker")]
pub mod contract;
#[cfg(feature = "worker")]
pub mod image;
#[cfg(feature = "launcher")]
pub mod launcher;
#[cfg(feature = "worker")]
pub mod namespace;

#[cfg(feature = "worker")]
pub use contract::{Exit, ExitCause, Handle, ProbeReport, Sandbox, SandboxError, SandboxSpec, Started, Unavailable};
#[cfg(feature = "worker")]
pub use image::ToolhostImage;
#[cfg(feature = "worker")]
pub use namespace::{NamespaceSandbox, UidRange};
pub use protocol::{Refusal, Step};
