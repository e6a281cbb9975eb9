//! The proxies of one run on loopback listeners, with a journal that remembers.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use agent::{Journal, PortLost};
use async_trait::async_trait;
use domain::mock::MockClock;
use domain::{ConnectionId, PackageName, RandomIds, Secret};
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use net::resolver::Resolver;
use net::{Client, Options, OutboundAllow};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use sidecar::forward::Forwarder;
use sidecar::proxy::{Catalog, Proxy, ProxyParts, server};
use sidecar::recorder::Recorder;
use sidecar::run_history::RunHistory;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use wire::control::Credentials;
use wire::run_event::{ProviderCalled, RunEvent};
use wire::run_spec::{Egress, ProviderSpec};

pub(crate) const SECRET: &str = "sk-canary-0123456789";

/// Remembers events.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Vec<RunEvent>>);

#[async_trait]
impl Journal for Log {
    async fn commit(&self, event: RunEvent) -> Result<(), PortLost> {
        self.0.lock().expect("log").push(event);
        Ok(())
    }

    fn delta(&self, _: &str) {}
}

/// Answers with what it was asked.
pub(crate) struct Echo;

#[async_trait]
impl RunHistory for Echo {
    async fn history(&self, limit: u32, fields: Vec<String>) -> Result<Vec<Value>, PortLost> {
        Ok(vec![json!({ "limit": limit, "fields": fields })])
    }
}

#[derive(Debug, Default)]
struct Table(HashMap<String, Vec<IpAddr>>);

impl Resolver for Table {
    fn lookup<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let found = self.0.get(name).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound));
        Box::pin(async move { found })
    }
}

/// What a world is made of; the defaults are a provider `@acme/shop` with a bearer key.
pub(crate) struct Setting {
    pub(crate) spec: ProviderSpec,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) egress: Egress,
    pub(crate) allow: String,
    pub(crate) names: Vec<(&'static str, &'static str)>,
    pub(crate) roots: Vec<CertificateDer<'static>>,
    /// The address of an outbound proxy.
    pub(crate) proxy: Option<String>,
}

impl Setting {
    pub(crate) fn of(pattern: &str) -> Self {
        Self {
            spec: ProviderSpec {
                id: "@acme/shop".parse().expect("name"),
                display_name: "Shop".to_owned(),
                connection: ConnectionId::new(&RandomIds),
                auth_mode: "api_key".to_owned(),
                authorized_uris: vec![pattern.to_owned()],
                allow_all_uris: false,
                header_name: Some("Authorization".to_owned()),
                header_prefix: Some("Bearer".to_owned()),
                header_field: Some("api_key".to_owned()),
                template_fields: vec!["api_key".to_owned(), "refresh_token".to_owned()],
                own_origin: None,
            },
            fields: vec![("api_key", SECRET.to_owned()), ("refresh_token", "rt-canary-9876543210".to_owned())],
            egress: Egress::Public,
            allow: "providers=127.0.0.0/8,agents=127.0.0.0/8".to_owned(),
            names: Vec::new(),
            roots: Vec::new(),
            proxy: None,
        }
    }
}

/// The running proxies.
pub(crate) struct World {
    pub(crate) proxy: Proxy,
    pub(crate) address: SocketAddr,
    pub(crate) forward: SocketAddr,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) stop: CancellationToken,
    log: Arc<Log>,
    recorder: Recorder,
}

impl World {
    pub(crate) async fn new(setting: Setting) -> Self {
        let mut options = Options::new(OutboundAllow::parse(&setting.allow).expect("list"));
        let table = setting.names.iter().map(|(name, address)| ((*name).to_owned(), vec![address.parse().expect("address")]));
        options.resolver = Arc::new(Table(table.collect()));
        options.extra_roots = setting.roots;
        let client = Client::new(options).expect("client");
        let client = match setting.proxy {
            Some(url) => client.through(net::OutboundProxy::parse(&url).expect("an address")),
            None => client,
        };
        let fields: BTreeMap<String, Secret> =
            setting.fields.into_iter().map(|(name, value)| (name.to_owned(), Secret::from(value))).collect();
        let provider: PackageName = setting.spec.id.clone();
        let (catalog, complaints) = Catalog::new(&[setting.spec], vec![Credentials { provider, fields }]);
        assert_eq!(complaints, Vec::<String>::new());
        let catalog = Arc::new(catalog);
        let stop = CancellationToken::new();
        let log = Arc::new(Log::default());
        let (recorder, _recording) = Recorder::start(Arc::clone(&log) as Arc<dyn Journal>);
        let clock = Arc::new(MockClock::default());
        let (forwarder, complaints) = Forwarder::new(client.clone(), &setting.egress, Arc::clone(&catalog), recorder.clone(), stop.clone());
        assert_eq!(complaints, Vec::<String>::new());
        let proxy =
            Proxy::new(ProxyParts { catalog, client, recorder: recorder.clone(), clock: Arc::clone(&clock) as Arc<dyn domain::Clock> });

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("address");
        let serving = proxy.clone();
        tokio::spawn(sidecar::serve(listener, stop.clone(), move |request| server::answer(serving.clone(), Arc::new(Echo), request)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let forward = listener.local_addr().expect("address");
        tokio::spawn(sidecar::serve(listener, stop.clone(), move |request| {
            let forwarder = forwarder.clone();
            async move { forwarder.answer(request).await }
        }));
        Self { proxy, address, forward, clock, stop, log, recorder }
    }

    /// The events, once all calls have ended.
    pub(crate) async fn events(&self) -> Vec<RunEvent> {
        self.recorder.drain().await;
        self.log.0.lock().expect("log").clone()
    }

    pub(crate) async fn provider_calls(&self) -> Vec<ProviderCalled> {
        let calls =
            self.events().await.into_iter().filter_map(|event| if let RunEvent::ProviderCalled(call) = event { Some(call) } else { None });
        calls.collect()
    }

    /// `curl -H "X-Provider: shop" -H "X-Target: …" http://sidecar:8080/proxy`.
    pub(crate) async fn call(&self, target: &str, more: &str) -> Reply {
        self.raw("GET", &format!("X-Provider: shop\r\nX-Target: {target}\r\n{more}"), b"").await
    }

    pub(crate) async fn raw(&self, method: &str, headers: &str, body: &[u8]) -> Reply {
        let head = format!("{method} /proxy HTTP/1.1\r\nhost: sidecar:8080\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        exchange(self.address, &[head.as_bytes(), body].concat()).await
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `code` of a JSON error, after checking its shape.
    pub(crate) fn code(&self) -> String {
        let value: Value = serde_json::from_slice(&self.body).expect("a JSON error");
        assert!(value["error"].as_str().is_some_and(|text| text.len() > 10), "{value}");
        value["code"].as_str().expect("a code").to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

/// Sends bytes as they are and reads one response by a real parser.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    // The first line and headers go out by hand, so that a test can write what no client would.
    let request = String::from_utf8_lossy(request).replacen("HTTP/1.1\r\n", "HTTP/1.1\r\nconnection: close\r\n", 1).into_bytes();
    stream.write_all(&request).await.expect("writes");
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await.expect("reads");
    parse(&raw).await
}

async fn parse(raw: &[u8]) -> Reply {
    // hyper parses what we have read, over a pipe.
    let (near, mut far) = tokio::io::duplex(raw.len().max(1));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(near)).await.expect("handshake");
    tokio::spawn(connection);
    let request = http::Request::get("/").body(net::body::empty()).expect("request");
    let answer = sender.send_request(request);
    let serve = async {
        let mut sink = [0; 1024];
        let length = far.read(&mut sink).await.expect("reads");
        assert!(length > 0);
        far.write_all(raw).await.expect("writes");
        drop(far);
    };
    let (answer, ()) = tokio::join!(answer, serve);
    let (head, body) = answer.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(raw))).into_parts();
    let body = body.collect().await.map(|collected| collected.to_bytes().to_vec()).unwrap_or_default();
    Reply { status: head.status.as_u16(), headers: head.headers, body }
}
