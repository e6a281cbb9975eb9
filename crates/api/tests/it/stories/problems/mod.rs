//! Everything that can be wrong with a request before its handler sees it, and what a client gets then.

mod bodies;
mod logs;
mod panics;
mod routes;
mod slow;
