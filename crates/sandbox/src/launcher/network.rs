//! The sandbox's network: loopback, and two listeners that are passed out to the sidecar.

use std::net::{Ipv4Addr, TcpListener};

use crate::protocol::{Refusal, Step};
use crate::sys;

/// Port of the credential proxy, `http://sidecar:8080`.
const PROXY_PORT: u16 = 8080;
/// Port of the forward proxy.
const FORWARD_PORT: u16 = 8081;

/// Brings `lo` up and binds the two listeners, non-blocking, as tokio wants them on the other side.
pub(super) fn raise() -> Result<[TcpListener; 2], Refusal> {
    sys::loopback_up().map_err(|error| Refusal::new(Step::Network, "lo", error))?;
    Ok([listen(PROXY_PORT)?, listen(FORWARD_PORT)?])
}

fn listen(port: u16) -> Result<TcpListener, Refusal> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| Refusal::new(Step::Network, format!("127.0.0.1:{port}"), error))
}
