//! A small HTTP server, plain or with TLS, that answers by path.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use net::resolver::Resolver;
use net::{Client, Options, OutboundAllow};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;

/// What a request looked like.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) version: http::Version,
}

pub(crate) type Answer = fn(&str) -> http::Response<Full<Bytes>>;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) async fn plain(answer: Answer) -> Self {
        Self::start(answer, None).await
    }

    /// With a certificate for `name`; the certificate comes back as a root.
    pub(crate) async fn tls(name: &str, answer: Answer) -> (Self, CertificateDer<'static>) {
        let (tls, root) = acceptor(name);
        (Self::start(answer, Some(tls)).await, root)
    }

    async fn start(answer: Answer, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (log, tls) = (Arc::clone(&log), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request: http::Request<Incoming>| {
                        let log = Arc::clone(&log);
                        async move {
                            let (head, body) = request.into_parts();
                            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                            let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
                            let line = format!("{} {path}", head.method);
                            log.lock().expect("log").push(Seen { line, headers: head.headers, body, version: head.version });
                            Ok::<_, Infallible>(answer(&path))
                        }
                    });
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    // A client that goes away is no matter of the server's.
                    if let Some(tls) = tls {
                        if let Ok(stream) = tls.accept(socket).await {
                            builder.serve_connection(TokioIo::new(stream), service).await.ok();
                        }
                    } else {
                        builder.serve_connection(TokioIo::new(socket), service).await.ok();
                    }
                });
            }
        });
        Self { address, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("log").clone()
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        format!("http://{}{path}", self.address).parse().expect("url")
    }
}

/// TLS with a certificate for `name`, which is its own root.
pub(crate) fn acceptor(name: &str) -> (tokio_rustls::TlsAcceptor, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("certificate fits key");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (tokio_rustls::TlsAcceptor::from(Arc::new(config)), certificate)
}

/// Answers from a table.
#[derive(Debug, Default)]
pub(crate) struct Table(pub(crate) HashMap<&'static str, Vec<IpAddr>>);

impl Resolver for Table {
    fn lookup<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let found = self.0.get(name).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound));
        Box::pin(async move { found })
    }
}

pub(crate) fn client(allow: &str, names: &[(&'static str, &[&str])], roots: Vec<CertificateDer<'static>>) -> Client {
    let table =
        names.iter().map(|(name, addresses)| (*name, addresses.iter().map(|text| text.parse().expect("address")).collect())).collect();
    let mut options = Options::new(OutboundAllow::parse(allow).expect("list"));
    options.resolver = Arc::new(Table(table));
    options.extra_roots = roots;
    Client::new(options).expect("client")
}

pub(crate) fn ok(body: impl Into<Bytes>) -> http::Response<Full<Bytes>> {
    http::Response::new(Full::new(body.into()))
}

pub(crate) fn redirect(status: u16, location: &str) -> http::Response<Full<Bytes>> {
    http::Response::builder().status(status).header("location", location).body(Full::default()).expect("response")
}
