//! The client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::header::{CONNECTION, HOST, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use tokio::time::timeout;
use url::Url;

use crate::body::{Body, Watched};
use crate::connector::{Connector, Dialer};
use crate::error::Error;
use crate::link::Link;
use crate::policy::{OutboundAllow, Policy, Purpose, Refusal, Target};
use crate::proxy::OutboundProxy;
use crate::request::{Request, Response};
use crate::resolver::{Resolver, SystemResolver};
use crate::stream::Stream;
use crate::tls;

/// A TLS connection that speaks something other than HTTP.
pub type TlsStream = tokio_rustls::client::TlsStream<Link>;

const IDLE_CONNECTIONS_PER_HOST: usize = 8;
const IDLE_CONNECTION_LIFETIME: Duration = Duration::from_mins(1);

/// How a client is built.
#[derive(Debug)]
pub struct Options {
    pub allow: OutboundAllow,
    /// Roots that are trusted beside Mozilla's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// For name lookup, TCP and TLS together.
    pub connect_timeout: Duration,
    pub resolver: Arc<dyn Resolver>,
}

impl Options {
    pub fn new(allow: OutboundAllow) -> Self {
        Self { allow, extra_roots: Vec::new(), connect_timeout: Duration::from_secs(10), resolver: Arc::new(SystemResolver) }
    }
}

/// The outbound HTTP client: checks targets, pins addresses, follows no redirect, decodes nothing, asks no environment.
///
/// Speaks HTTP/1.1, and HTTP/2 where TLS offers it. Cloning shares the connections.
#[derive(Clone)]
pub struct Client {
    dialer: Arc<Dialer>,
    pools: Arc<[Pool<Connector, Body>]>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("policy", &self.dialer.policy).field("proxy", &self.dialer.proxy).finish_non_exhaustive()
    }
}

impl Client {
    /// Builds a client. Fails only on an extra root that cannot be read.
    pub fn new(options: Options) -> Result<Self, rustls::Error> {
        let dialer = Arc::new(Dialer {
            policy: Policy::new(options.allow),
            resolver: options.resolver,
            tls: tls::settings(options.extra_roots)?,
            connect_timeout: options.connect_timeout,
            proxy: None,
        });
        Ok(Self::of(dialer))
    }

    fn of(dialer: Arc<Dialer>) -> Self {
        let pools = Purpose::ALL.map(|purpose| pool(Connector { dialer: Arc::clone(&dialer), purpose }));
        Self { dialer, pools: Arc::new(pools) }
    }

    /// The same client behind a proxy: the same rules, connections of its own.
    #[must_use]
    pub fn through(&self, proxy: OutboundProxy) -> Self {
        Self::of(Arc::new(Dialer { proxy: Some(proxy), ..Dialer::clone(&self.dialer) }))
    }

    /// The rules that this client keeps.
    pub fn policy(&self) -> &Policy {
        &self.dialer.policy
    }

    /// Decides about a URL without any I/O: for URLs that are stored now and called later.
    pub fn vet(&self, purpose: Purpose, url: &Url) -> Result<(), Refusal> {
        self.dialer.policy.vet(purpose, url).map(drop)
    }

    /// As [`Client::vet`], for the address of a proxy.
    pub fn vet_proxy(&self, proxy: &OutboundProxy) -> Result<(), Refusal> {
        self.dialer.policy.vet_target(Purpose::Proxies, proxy.target())
    }

    /// Sends one request. Redirects come back as they are.
    pub async fn send(&self, purpose: Purpose, request: Request) -> Result<Response, Error> {
        self.dialer.policy.vet(purpose, &request.url)?;
        let timeouts = request.timeouts;
        let outgoing = self.pools[purpose.index()].request(into_http(request)?);
        let response = match timeouts.response {
            Some(limit) => timeout(limit, outgoing).await.map_err(|_| Error::ResponseTimeout)?,
            None => outgoing.await,
        };
        let (head, body) = response.map_err(Error::from_pool)?.into_parts();
        Ok(Response { status: head.status, headers: head.headers, body: Watched::new(body, timeouts.idle).boxed_unsync() })
    }

    /// Opens a connection for a tunnel, to a checked address.
    pub async fn connect_tcp(&self, purpose: Purpose, host: &str, port: u16) -> Result<Link, Error> {
        let target = Target::tunnel(host, port)?;
        match self.dialer.dial(purpose, &target).await? {
            Stream::Plain(link) => Ok(link),
            Stream::Tls(_) => Err(Error::InvalidUrl),
        }
    }
}

impl Client {
    /// Opens a TLS connection for a protocol other than HTTP, to a checked address. `host` must be in the certificate.
    pub async fn connect_tls(&self, purpose: Purpose, host: &str, port: u16) -> Result<TlsStream, Error> {
        let link = self.connect_tcp(purpose, host, port).await?;
        let handshake = self.dialer.handshake(host, link);
        timeout(self.dialer.connect_timeout, handshake).await.map_err(|_| Error::ConnectTimeout { host: host.to_owned() })?
    }
}

fn pool(connector: Connector) -> Pool<Connector, Body> {
    Pool::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_CONNECTION_LIFETIME)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
        .build(connector)
}

fn into_http(request: Request) -> Result<http::Request<Body>, Error> {
    let mut url = request.url;
    url.set_fragment(None);
    let uri: Uri = url.as_str().parse().map_err(|_| Error::InvalidUrl)?;
    let mut outgoing = http::Request::new(request.body);
    *outgoing.method_mut() = request.method;
    *outgoing.uri_mut() = uri;
    *outgoing.headers_mut() = request.headers;
    // These belong to the connection, which is ours; HTTP/2 forbids most of them (RFC 9113 §8.2.2).
    for name in [HOST, CONNECTION, TRANSFER_ENCODING, UPGRADE, TE, TRAILER] {
        outgoing.headers_mut().remove(name);
    }
    for name in ["keep-alive", "proxy-connection"] {
        outgoing.headers_mut().remove(HeaderName::from_static(name));
    }
    Ok(outgoing)
}
