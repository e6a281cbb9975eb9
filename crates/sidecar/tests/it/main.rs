//! The sidecar's proxies and its hosting of a run, over real sockets.

mod egress;
mod hands;
mod host;
mod provider;
mod provider_call;
mod redirects;
mod upstream;
mod world;
