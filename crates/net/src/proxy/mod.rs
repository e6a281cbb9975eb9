//! Upstream proxies: where calls leave from, when an operator or an organization wants them to leave from elsewhere.
//!
//! The target is resolved and checked as for a direct call, and the proxy is asked for the checked *address*: a proxy that looked
//! names up itself could be led inside by DNS. TLS is spoken through the tunnel and still verifies the name. Plain http goes
//! through `CONNECT` too, because the absolute form (RFC 9112 §3.2.2) would leave the choice of the address to the proxy.
//!
//! The proxy's own address is checked like any other, under [`crate::Purpose::Proxies`].

mod connect;
mod failure;
mod server;
mod socks;

pub use failure::{ProxyFailure, SocksReply};
pub use server::{InvalidProxy, OutboundProxy, ProxyScheme};

use std::io;
use std::net::SocketAddr;

use crate::link::Link;
use server::Credentials;

/// Asks the proxy at the other end of the link for a tunnel. Reads not a byte of what comes through it.
pub(crate) async fn ask(link: &mut Link, proxy: &OutboundProxy, to: SocketAddr) -> Result<(), ProxyFailure> {
    match proxy.scheme() {
        ProxyScheme::Http | ProxyScheme::Https => connect::ask(link, to, proxy.credentials()).await,
        ProxyScheme::Socks5 => socks::ask(link, to, proxy.credentials()).await,
    }
}

fn broken(error: io::Error) -> ProxyFailure {
    ProxyFailure::Broken { source: std::sync::Arc::new(error) }
}
