//! What both programs of the bench share. No dependency: `bench-load` is copied into a sandbox.
//!
//! | module | is |
//! |---|---|
//! | [`http`] | where an HTTP/1.1 answer ends in a buffer |
//! | [`load`] | closed-loop or paced requests over keep-alive connections |
//! | [`quantiles`] | what a set of durations looks like |

pub mod http;
pub mod load;
pub mod quantiles;
