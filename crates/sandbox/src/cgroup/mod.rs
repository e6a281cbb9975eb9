//! The cgroups of a sandbox, version 1 or 2: found once by the worker, made and removed per run by the guard.

#[cfg(feature = "worker")]
mod discover;
#[cfg(feature = "launcher")]
mod group;

#[cfg(feature = "worker")]
pub(crate) use discover::{discover, sweep, sweep_after};
#[cfg(feature = "launcher")]
pub(crate) use group::{Doors, Group};

/// Directories of ours begin with this and end with the pid of the guard that made them.
pub(crate) const PREFIX: &str = "appstrate-";
