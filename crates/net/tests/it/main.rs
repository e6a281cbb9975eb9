//! The client against real sockets on loopback, which the operator's list opens for one purpose.

mod client;
mod redirects;
mod server;
