//! The one outbound HTTP client and its policy.
//!
//! Every call that leaves the platform goes through [`Client`]: it refuses private, loopback, link-local and metadata addresses by
//! literal, by name and after DNS, connects only to an address that it has checked, follows no redirect by itself and knows no proxy
//! but the one that [`Client::through`] gives it. [`OutboundAllow`] is the operator's list of exceptions.
//!
//! | module | holds |
//! |---|---|
//! | [`policy`] | what may be reached: purposes, exceptions, address and name classes |
//! | [`client`] | sending a request, opening a tunnel |
//! | `connector` | resolve, check, connect, TLS |
//! | [`proxy`] | upstream proxies: `CONNECT` and SOCKS5 |
//! | [`resolver`] | name → addresses, replaceable in tests |
//! | [`redirect`] | following redirects hop by hop under the caller's eyes |
//! | [`request`], [`body`] | what is sent and what comes back |

pub mod body;
pub mod client;
mod connector;
pub mod error;
mod link;
pub mod policy;
pub mod proxy;
pub mod redirect;
pub mod request;
pub mod resolver;
mod stream;
mod tls;

pub use body::Body;
pub use client::{Client, Options, TlsStream};
pub use error::Error;
pub use link::Link;
pub use policy::{OutboundAllow, Purpose};
pub use proxy::OutboundProxy;
pub use request::{Request, Response, Timeouts};
