//! The sandbox from outside and, through the probe, from inside.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "what helps a test fails by panicking, and prints what was seen")]

mod attack;
mod lifetime;
mod limits;
mod network;
mod support;
