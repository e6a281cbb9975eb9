//! Resolve once, check every address, connect only to a checked one (through the proxy, if there is one), then TLS to the name.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use crate::error::Error;
use crate::link::Link;
use crate::policy::{Policy, Purpose, Refusal, Scheme, Target};
use crate::proxy::{self, OutboundProxy, ProxyFailure, ProxyScheme};
use crate::resolver::Resolver;
use crate::stream::Stream;
use crate::tls::Tls;

/// More addresses than this are not tried.
const MAX_ADDRESSES: usize = 8;
/// One silent address may not eat the time of the others.
const ATTEMPT: Duration = Duration::from_secs(3);

/// What all connectors of a client share.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) policy: Policy,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) tls: Tls,
    pub(crate) connect_timeout: Duration,
    /// `None`: connections are direct.
    pub(crate) proxy: Option<OutboundProxy>,
}

impl Dialer {
    /// Connects to the target, TLS included where its scheme says so.
    pub(crate) async fn dial(&self, purpose: Purpose, target: &Target) -> Result<Stream, Error> {
        let host = target.host.to_string();
        timeout(self.connect_timeout, self.dial_unbounded(purpose, target, &host)).await.map_err(|_| match self.proxy {
            Some(_) => ProxyFailure::Timeout.into(),
            None => Error::ConnectTimeout { host: host.clone() },
        })?
    }

    async fn dial_unbounded(&self, purpose: Purpose, target: &Target, host: &str) -> Result<Stream, Error> {
        let addresses = self.checked_addresses(purpose, target, host).await?;
        let link = match &self.proxy {
            None => Link::Tcp(connect_any(&addresses, target.port, host).await?),
            Some(proxy) => self.through_any(proxy, &addresses, target.port).await?,
        };
        if target.scheme != Scheme::Https {
            return Ok(Stream::Plain(link));
        }
        Ok(Stream::Tls(Box::new(self.secured(&self.tls.to_target, &target.host, link).await?)))
    }

    /// Asks the proxy for the addresses in turn, as long as it says that only the address is at fault.
    async fn through_any(&self, proxy: &OutboundProxy, addresses: &[IpAddr], port: u16) -> Result<Link, ProxyFailure> {
        let mut last = ProxyFailure::Timeout;
        for (position, &address) in addresses.iter().enumerate() {
            // In the form that was judged: a proxy on IPv4 makes nothing of ::ffff:192.0.2.1.
            let attempt = self.through(proxy, SocketAddr::new(address.to_canonical(), port));
            let outcome = if position + 1 == addresses.len() {
                attempt.await
            } else {
                timeout(ATTEMPT, attempt).await.unwrap_or(Err(ProxyFailure::Timeout))
            };
            match outcome {
                Err(failure) if failure.is_about_target() => last = failure,
                settled => return settled,
            }
        }
        Err(last)
    }

    /// A tunnel through the proxy, whose own address is judged like that of any other target.
    async fn through(&self, proxy: &OutboundProxy, to: SocketAddr) -> Result<Link, ProxyFailure> {
        let mut link = self.reach(proxy).await.map_err(|error| ProxyFailure::Unreachable { source: Arc::new(error) })?;
        proxy::ask(&mut link, proxy, to).await?;
        Ok(link)
    }

    async fn reach(&self, proxy: &OutboundProxy) -> Result<Link, Error> {
        let target = proxy.target();
        let host = target.host.to_string();
        let addresses = self.checked_addresses(Purpose::Proxies, target, &host).await?;
        let tcp = connect_any(&addresses, target.port, &host).await?;
        Ok(match proxy.scheme() {
            ProxyScheme::Http | ProxyScheme::Socks5 => Link::Tcp(tcp),
            ProxyScheme::Https => Link::Tls(Box::new(self.secured(&self.tls.to_proxy, &target.host, tcp).await?)),
        })
    }

    async fn secured<L>(&self, settings: &Arc<rustls::ClientConfig>, host: &Host<String>, link: L) -> Result<TlsStream<L>, Error>
    where
        L: AsyncRead + AsyncWrite + Unpin,
    {
        let tls_error = |error: io::Error| Error::Tls { host: host.to_string(), source: Arc::new(error) };
        let name = server_name(host).map_err(tls_error)?;
        TlsConnector::from(Arc::clone(settings)).connect(name, link).await.map_err(tls_error)
    }

    /// TLS over a connection of some other protocol: without the offer of HTTP that a strict server would refuse (RFC 7301 §3.2).
    pub(crate) async fn handshake(&self, host: &str, link: Link) -> Result<TlsStream<Link>, Error> {
        let mut settings = rustls::ClientConfig::clone(&self.tls.to_target);
        settings.alpn_protocols.clear();
        let tls_error = |error: io::Error| Error::Tls { host: host.to_owned(), source: Arc::new(error) };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other).map_err(tls_error)?;
        TlsConnector::from(Arc::new(settings)).connect(name, link).await.map_err(tls_error)
    }

    /// The addresses that may be connected to. An error if the name has none, or none that is allowed.
    async fn checked_addresses(&self, purpose: Purpose, target: &Target, host: &str) -> Result<Vec<IpAddr>, Error> {
        self.policy.vet_target(purpose, target)?;
        let name = match &target.host {
            Host::Ipv4(address) => return Ok(vec![(*address).into()]),
            Host::Ipv6(address) => return Ok(vec![(*address).into()]),
            Host::Domain(name) => name,
        };
        let resolve_error = |error: io::Error| Error::Resolve { host: host.to_owned(), source: Arc::new(error) };
        let found = self.resolver.lookup(name).await.map_err(resolve_error)?;
        let mut refusal: Option<Refusal> = None;
        let mut checked = Vec::new();
        for address in found.into_iter().take(MAX_ADDRESSES) {
            match self.policy.vet_address(purpose, target, address) {
                Ok(()) => checked.push(address),
                Err(reason) => refusal = Some(reason),
            }
        }
        if checked.is_empty() {
            return Err(
                refusal.map_or_else(|| resolve_error(io::Error::new(io::ErrorKind::NotFound, "the name has no address")), Error::Refused)
            );
        }
        Ok(checked)
    }
}

async fn connect_any(addresses: &[IpAddr], port: u16, host: &str) -> Result<TcpStream, Error> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for (position, &address) in addresses.iter().enumerate() {
        let attempt = TcpStream::connect(SocketAddr::new(address, port));
        let outcome = if position + 1 == addresses.len() {
            attempt.await
        } else {
            timeout(ATTEMPT, attempt).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        match outcome {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(|error| Error::Connect { host: host.to_owned(), source: Arc::new(error) })?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(Error::Connect { host: host.to_owned(), source: Arc::new(last) })
}

fn server_name(host: &Host<String>) -> io::Result<ServerName<'static>> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(io::Error::other),
        Host::Ipv4(address) => Ok(ServerName::IpAddress(IpAddr::from(*address).into())),
        Host::Ipv6(address) => Ok(ServerName::IpAddress(IpAddr::from(*address).into())),
    }
}

/// The dialer as the pool calls it, for one purpose: a connection made for one purpose is never used for another.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) dialer: Arc<Dialer>,
    pub(crate) purpose: Purpose,
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { dialer, purpose } = self.clone();
        Box::pin(async move {
            let url = Url::parse(&uri.to_string()).map_err(|_| Error::InvalidUrl)?;
            let target = Target::of(&url)?;
            dialer.dial(purpose, &target).await.map(TokioIo::new)
        })
    }
}
