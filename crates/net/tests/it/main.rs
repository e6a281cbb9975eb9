//! The client against real sockets on loopback, which the operator's list opens for one purpose.

mod client;
mod proxies;
mod redirects;
mod server;
