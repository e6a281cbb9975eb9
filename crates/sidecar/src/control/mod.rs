//! The connection to the worker: frames on one socket, descriptors on another.

pub mod descriptors;
mod link;

pub use link::{Control, open, within_start};
