//! Live streams (server-sent events, WHATWG HTML §9.2): what all of them have in common, and what the wide ones share.
//!
//! | file | owns |
//! |---|---|
//! | `event.rs` | the event itself, or a line of the log if it cannot be read |
//! | `frame.rs` | events as bytes |
//! | `request.rs` | what a client asks for: where it resumes, deltas |
//! | `client.rs` | one client: keep-alive, and the question every 30 s whether it may still see this |
//! | `wide.rs` | a client of many runs: a snapshot, then live from the shared tail, or from the table where it lags |
//! | `tail.rs` | the end of one sequence of events, read once for all its clients |
//! | `hub.rs` | the tails of this process |
//!
//! A stream of one run has a reader of its own ([`store::FollowRun`]): few look at one run. Wide streams share. A [`tail::Tail`] is
//! kept for each application, agent and end-user that somebody follows; it alone reads the table when something was committed, in
//! a scope with exactly that reach, so that a foreign row is left out by the query and by row-level security and never by a
//! comparison here. Each event is written as bytes once, however many clients get it. A client holds a cursor and no queue: one
//! that is slow falls out of the tail's window and reads the table by itself, in its own scope, until it has caught up.

mod client;
mod event;
mod frame;
mod hub;
mod request;
mod tail;
mod wide;

pub(crate) use self::client::{Source, respond};
pub(crate) use self::event::{changes_state, readable};
pub(crate) use self::frame::{delta, line, update};
pub(crate) use self::hub::Hub;
pub(crate) use self::request::StreamRequest;
pub(crate) use self::wide::stream;

/// How often streams do what they do by time.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How often a stream asks whether its caller may still see it. Default 30 s.
    pub reauthorize_every: std::time::Duration,
    /// How long a stream is silent at most. Default 15 s.
    pub keep_alive_every: std::time::Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { reauthorize_every: std::time::Duration::from_secs(30), keep_alive_every: std::time::Duration::from_secs(15) }
    }
}
