//! Name → addresses.

use std::fmt;
use std::io;
use std::net::IpAddr;

use futures::future::BoxFuture;

/// Looks names up. Tests pass one that answers from a table.
pub trait Resolver: Send + Sync + fmt::Debug {
    /// All addresses of a name, in the order to try them.
    fn lookup<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}
