//! A provider's server, plain or with TLS: answers by path, remembers what it saw.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use net::{Body, body};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

type Answer = Arc<dyn Fn(&Seen) -> Response<Body> + Send + Sync>;

impl Upstream {
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static) -> Self {
        Self::serve(Arc::new(answer), None).await
    }

    /// With a certificate for `name`, which comes back as a root.
    pub(crate) async fn tls(
        name: &str,
        answer: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static,
    ) -> (Self, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("certificate");
        let root = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![root.clone()], key)
            .expect("certificate fits key");
        (Self::serve(Arc::new(answer), Some(TlsAcceptor::from(Arc::new(config)))).await, root)
    }

    async fn serve(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (log, tls, answer) = (Arc::clone(&log), tls.clone(), Arc::clone(&answer));
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                        async move { Ok::<_, Infallible>(one(request, &log, &answer).await) }
                    });
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    // A client that goes away is no matter of the server's.
                    match tls {
                        None => drop(builder.serve_connection(TokioIo::new(socket), service).await),
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(socket).await {
                                drop(builder.serve_connection(TokioIo::new(stream), service).await);
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("log").clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn one(request: Request<Incoming>, log: &Mutex<Vec<Seen>>, answer: &Answer) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let seen = Seen { line: format!("{} {path}", head.method), headers: head.headers, body };
    log.lock().expect("log").push(seen.clone());
    answer(&seen)
}

pub(crate) fn ok(text: impl Into<Bytes>) -> Response<Body> {
    with_type("text/plain", text)
}

pub(crate) fn with_type(kind: &str, text: impl Into<Bytes>) -> Response<Body> {
    Response::builder().header("content-type", kind).body(body::full(text)).expect("response")
}

pub(crate) fn redirect(status: u16, location: &str) -> Response<Body> {
    Response::builder().status(status).header("location", location).body(body::empty()).expect("response")
}

/// A body of unannounced length, in pieces that follow from their position.
pub(crate) fn endless(kind: &str, pieces: u32) -> Response<Body> {
    counted(kind, pieces, Arc::default())
}

/// As [`endless`]; `made` says how many pieces have been taken.
pub(crate) fn counted(kind: &str, pieces: u32, made: Arc<AtomicU32>) -> Response<Body> {
    let chunks = futures::stream::iter((0..pieces).map(move |number| {
        made.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(piece(number))
    }));
    Response::builder().header("content-type", kind).body(body::stream(chunks)).expect("response")
}

/// 64 KiB that differ from piece to piece.
pub(crate) fn piece(number: u32) -> Bytes {
    let mut state = number.wrapping_mul(2_654_435_761) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(65_536).collect()
}

/// An outbound proxy that opens tunnels for `ada` with `canary`.
pub(crate) struct ConnectProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("address");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let log = Arc::clone(&log);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(socket.read_u8().await.expect("a head"));
                    }
                    let head = String::from_utf8(head).expect("text");
                    // base64 of `ada:canary`
                    if !head.contains("Proxy-Authorization: Basic YWRhOmNhbmFyeQ==\r\n") {
                        socket.write_all(b"HTTP/1.1 407 Who are you\r\n\r\n").await.expect("writes");
                        return;
                    }
                    let to = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).expect("CONNECT").to_owned();
                    log.lock().expect("log").push(to.clone());
                    let mut target = TcpStream::connect(to).await.expect("the target listens");
                    socket.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.expect("writes");
                    // Who goes first is no matter of the proxy's.
                    copy_bidirectional(&mut socket, &mut target).await.ok();
                });
            }
        });
        Self { address, asked }
    }

    /// Its address with the credentials that it wants.
    pub(crate) fn url(&self) -> String {
        format!("http://ada:canary@{}", self.address)
    }

    /// The addresses that it was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("log").clone()
    }
}
