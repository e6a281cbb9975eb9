//! Real proxies on loopback: what they are asked for, and what becomes of their answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use net::proxy::{OutboundProxy, ProxyFailure, SocksReply};
use net::{Client, Error, Purpose, Request, Timeouts};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Server, acceptor, client, ok};

/// What a proxy does with the requests that it is sent.
#[derive(Clone, Copy)]
enum Manner {
    /// Opens every tunnel.
    Open,
    /// Opens tunnels for `ada` with `s3cr:et`.
    Guarded,
    /// Answers with this status, or with the SOCKS reply of this number.
    Refuse(u16),
    /// Refuses the first with 502, or host unreachable, and opens all others.
    FirstUnreachable,
    /// Reads and says nothing.
    Silent,
}

/// A small proxy.
struct Proxy {
    address: SocketAddr,
    /// The addresses that it was asked for.
    asked: Arc<Mutex<Vec<String>>>,
}

/// What a proxy speaks.
#[derive(Clone)]
enum Tongue {
    Http,
    Https(tokio_rustls::TlsAcceptor),
    Socks,
}

impl Proxy {
    async fn http(manner: Manner) -> Self {
        Self::start(Tongue::Http, manner).await
    }

    async fn socks(manner: Manner) -> Self {
        Self::start(Tongue::Socks, manner).await
    }

    async fn start(tongue: Tongue, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("address");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, tongue.clone(), manner, Arc::clone(&log)));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("log").clone()
    }
}

async fn serve(mut socket: TcpStream, tongue: Tongue, manner: Manner, asked: Arc<Mutex<Vec<String>>>) {
    match tongue {
        Tongue::Http => {
            if let Some(to) = answer_connect(&mut socket, manner, &asked).await {
                join(&mut socket, &to).await;
            }
        }
        Tongue::Https(tls) => {
            let Ok(mut socket) = tls.accept(socket).await else { return };
            if let Some(to) = answer_connect(&mut socket, manner, &asked).await {
                join(&mut socket, &to).await;
            }
        }
        Tongue::Socks => {
            if let Some(to) = answer_socks(&mut socket, manner, &asked).await {
                join(&mut socket, &to).await;
            }
        }
    }
}

async fn join(socket: &mut (impl AsyncRead + AsyncWrite + Unpin), to: &str) {
    let mut target = TcpStream::connect(to).await.expect("the target listens");
    // Who goes first is no matter of the proxy's.
    copy_bidirectional(socket, &mut target).await.ok();
}

async fn answer_connect<S>(socket: &mut S, manner: Manner, asked: &Mutex<Vec<String>>) -> Option<String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("text");
    let to = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).expect("CONNECT").to_owned();
    assert!(head.contains(&format!("Host: {to}\r\n")), "{head}");
    let number = {
        let mut asked = asked.lock().expect("log");
        asked.push(to.clone());
        asked.len()
    };
    let status = match manner {
        // base64 of `ada:s3cr:et`
        Manner::Guarded if head.contains("Proxy-Authorization: Basic YWRhOnMzY3I6ZXQ=\r\n") => 200,
        Manner::Guarded => 407,
        Manner::Refuse(status) => status,
        Manner::FirstUnreachable if number == 1 => 502,
        Manner::Open | Manner::FirstUnreachable => 200,
        Manner::Silent => std::future::pending().await,
    };
    socket.write_all(format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.ok()?;
    (status == 200).then_some(to)
}

async fn answer_socks(socket: &mut TcpStream, manner: Manner, asked: &Mutex<Vec<String>>) -> Option<String> {
    let mut hello = [0; 2];
    socket.read_exact(&mut hello).await.ok()?;
    let mut methods = vec![0; usize::from(hello[1])];
    socket.read_exact(&mut methods).await.ok()?;
    if matches!(manner, Manner::Guarded) {
        if !methods.contains(&2) {
            socket.write_all(&[5, 0xff]).await.ok()?;
            return None;
        }
        socket.write_all(&[5, 2]).await.ok()?;
        let mut given = [0; 13];
        socket.read_exact(&mut given).await.ok()?;
        let welcome = &given == b"\x01\x03ada\x07s3cr:et";
        socket.write_all(&[1, u8::from(!welcome)]).await.ok()?;
        if !welcome {
            return None;
        }
    } else {
        socket.write_all(&[5, 0]).await.ok()?;
    }
    let mut request = [0; 10];
    socket.read_exact(&mut request).await.ok()?;
    let [5, 1, 0, 1, a, b, c, d, high, low] = request else { panic!("asked for a name: {request:?}") };
    let to = format!("{a}.{b}.{c}.{d}:{}", u16::from_be_bytes([high, low]));
    let number = {
        let mut asked = asked.lock().expect("log");
        asked.push(to.clone());
        asked.len()
    };
    let reply = match manner {
        Manner::Refuse(reply) => u8::try_from(reply).expect("a byte"),
        Manner::FirstUnreachable if number == 1 => 4,
        Manner::Open | Manner::Guarded | Manner::FirstUnreachable => 0,
        Manner::Silent => std::future::pending().await,
    };
    socket.write_all(&[5, reply, 0, 1, 127, 0, 0, 1, 0, 80]).await.ok()?;
    (reply == 0).then_some(to)
}

fn proxied(client: &Client, url: &str) -> Client {
    client.through(OutboundProxy::parse(url).expect("an address"))
}

fn get(url: impl AsRef<str>) -> Request {
    Request::new(Method::GET, url.as_ref().parse().expect("url"))
}

fn failure(error: Error) -> ProxyFailure {
    assert!(error.is_before_send() && !error.is_refusal(), "{error}");
    match error {
        Error::Proxy(failure) => failure,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_checked_address_and_the_name_stays_the_host() {
    let server = Server::plain(|_| ok("hello")).await;
    let port = server.address.port();
    for (scheme, proxy) in [("http", Proxy::http(Manner::Open).await), ("socks5", Proxy::socks(Manner::Open).await)] {
        let allow = format!("providers=127.0.0.1:{port},proxies={}", proxy.address);
        let client = client(&allow, &[("api.example.com", &["10.255.255.1", "127.0.0.1"])], Vec::new());
        let client = proxied(&client, &format!("{scheme}://{}", proxy.address));
        for _ in 0..2 {
            let response = client.send(Purpose::Providers, get(format!("http://api.example.com:{port}/"))).await.expect("sent");
            assert_eq!(response.bytes(100).await.expect("body"), "hello");
        }
        assert_eq!(proxy.asked(), [format!("127.0.0.1:{port}")], "{scheme}: the private address is left out, the connection is kept");
        let seen = server.seen().pop().expect("a request");
        assert_eq!(seen.headers["host"], format!("api.example.com:{port}"));
        assert!(!seen.headers.contains_key("proxy-authorization"), "{seen:?}");
    }
}

#[tokio::test]
async fn tls_through_the_tunnel_checks_the_name_and_speaks_http2() {
    let (server, root) = Server::tls("api.example.com", |_| ok("secure")).await;
    let (tls, proxy_root) = acceptor("proxy.example.com");
    let (plain, secured) = (Proxy::socks(Manner::Open).await, Proxy::start(Tongue::Https(tls), Manner::Open).await);
    let port = server.address.port();
    let names: &[(&str, &[&str])] =
        &[("api.example.com", &["127.0.0.1"]), ("other.example.com", &["127.0.0.1"]), ("proxy.example.com", &["127.0.0.1"])];
    let allow = format!("providers=127.0.0.1:{port},proxies=127.0.0.1");
    for url in [format!("socks5://{}", plain.address), format!("https://proxy.example.com:{}", secured.address.port())] {
        let client = proxied(&client(&allow, names, vec![root.clone(), proxy_root.clone()]), &url);
        let response = client.send(Purpose::Providers, get(format!("https://api.example.com:{port}/"))).await.expect(&url);
        assert_eq!(response.bytes(100).await.expect("body"), "secure");
        assert_eq!(server.seen().pop().expect("a request").version, http::Version::HTTP_2);
        let error = client.send(Purpose::Providers, get(format!("https://other.example.com:{port}/"))).await.expect_err("wrong name");
        assert!(matches!(error, Error::Tls { .. }), "{error}");
    }
    let strict = proxied(&client(&allow, names, vec![root]), &format!("https://proxy.example.com:{}", secured.address.port()));
    let error = strict.send(Purpose::Providers, get(format!("https://api.example.com:{port}/"))).await.expect_err("unknown root");
    let ProxyFailure::Unreachable { source } = failure(error) else { panic!("the proxy's certificate is unknown") };
    assert!(matches!(*source, Error::Tls { .. }), "{source}");
}

#[tokio::test]
async fn credentials_open_the_door_and_wrong_ones_do_not() {
    let server = Server::plain(|_| ok("hello")).await;
    for (scheme, proxy) in [("http", Proxy::http(Manner::Guarded).await), ("socks5", Proxy::socks(Manner::Guarded).await)] {
        let client = client(&format!("agents={},proxies={}", server.address, proxy.address), &[], Vec::new());
        let through = |credentials: &str| proxied(&client, &format!("{scheme}://{credentials}{}", proxy.address));
        let response = through("ada:s3cr%3Aet@").send(Purpose::Agents, get(server.url("/"))).await.expect("sent");
        assert_eq!(response.status, 200);
        for wrong in ["", "ada:s3cr%3Aex@"] {
            let error = through(wrong).send(Purpose::Agents, get(server.url("/"))).await.expect_err("refused");
            assert!(!error.to_string().contains("s3cr"), "{error}");
            assert!(matches!(failure(error), ProxyFailure::Unauthorized), "{scheme} {wrong}");
        }
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn the_policy_holds_for_the_target_and_for_the_proxy() {
    let server = Server::plain(|_| ok("hello")).await;
    let proxy = Proxy::http(Manner::Open).await;
    let url = format!("http://{}", proxy.address);
    let names: &[(&str, &[&str])] = &[("inside.example.com", &["127.0.0.1"]), ("proxy.example.com", &["127.0.0.1"])];
    let open = proxied(&client(&format!("proxies={}", proxy.address), names, Vec::new()), &url);
    for target in ["http://127.0.0.1/", "http://169.254.169.254/", "http://inside.example.com/", "http://localhost/"] {
        let error = open.send(Purpose::Agents, get(target)).await.expect_err("refused");
        assert!(error.is_refusal(), "{target}: {error}");
        let host = target.trim_start_matches("http://").trim_end_matches('/');
        assert!(open.connect_tcp(Purpose::Agents, host, 443).await.is_err_and(|error| error.is_refusal()), "{target}");
    }
    let elsewhere = client(&format!("agents={}", server.address), names, Vec::new());
    for url in [url.clone(), format!("http://proxy.example.com:{}", proxy.address.port())] {
        let error = proxied(&elsewhere, &url).send(Purpose::Agents, get(server.url("/"))).await.expect_err("refused");
        let ProxyFailure::Unreachable { source } = failure(error) else { panic!("{url} is inside") };
        assert!(source.is_refusal(), "{source}");
    }
    assert!(elsewhere.vet_proxy(&OutboundProxy::parse(&url).expect("an address")).is_err());
    assert!(open.vet_proxy(&OutboundProxy::parse("http://proxy.example.com").expect("an address")).is_ok());
    assert_eq!(proxy.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn refusals_say_what_the_proxy_said_and_only_an_unreachable_address_leads_to_the_next() {
    let server = Server::plain(|_| ok("hello")).await;
    let port = server.address.port();
    let names: &[(&str, &[&str])] = &[("two.example.com", &["127.0.0.2", "127.0.0.1"])];
    let allow = "agents=127.0.0.0/8,proxies=127.0.0.1";
    let target = format!("http://two.example.com:{port}/");
    for (scheme, proxy) in [("http", Proxy::http(Manner::FirstUnreachable).await), ("socks5", Proxy::socks(Manner::FirstUnreachable).await)]
    {
        let client = proxied(&client(allow, names, Vec::new()), &format!("{scheme}://{}", proxy.address));
        assert_eq!(client.send(Purpose::Agents, get(&target)).await.expect("sent").status, 200);
        assert_eq!(proxy.asked(), [format!("127.0.0.2:{port}"), format!("127.0.0.1:{port}")]);
    }
    let proxy = Proxy::http(Manner::Refuse(403)).await;
    let refused = proxied(&client(allow, names, Vec::new()), &format!("http://{}", proxy.address));
    let error = refused.send(Purpose::Agents, get(&target)).await.expect_err("refused");
    assert!(matches!(failure(error), ProxyFailure::Refused { status: 403 }));
    assert_eq!(proxy.asked().len(), 1, "a rule of the proxy's is final");
    let proxy = Proxy::socks(Manner::Refuse(2)).await;
    let refused = proxied(&client(allow, names, Vec::new()), &format!("socks5://{}", proxy.address));
    let error = refused.send(Purpose::Agents, get(&target)).await.expect_err("refused");
    assert!(matches!(failure(error), ProxyFailure::Socks { reply: SocksReply(2) }));
}

#[tokio::test]
async fn silence_and_a_closed_port_end_in_the_proxys_own_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let closed = listener.local_addr().expect("address");
    drop(listener);
    let gone = proxied(&client("all=127.0.0.1", &[], Vec::new()), &format!("http://{closed}"));
    let error = gone.send(Purpose::Agents, get("http://127.0.0.1:1/")).await.expect_err("closed");
    let ProxyFailure::Unreachable { source } = failure(error) else { panic!("nobody listens") };
    assert!(matches!(*source, Error::Connect { .. }), "{source}");

    let silent = Proxy::http(Manner::Silent).await;
    let mut options = net::Options::new("all=127.0.0.1".parse().expect("list"));
    options.connect_timeout = Duration::from_millis(50);
    let waiting = proxied(&Client::new(options).expect("client"), &format!("http://{}", silent.address));
    let request = get("http://127.0.0.1:1/").timeouts(Timeouts { response: None, idle: None });
    let error = waiting.send(Purpose::Agents, request).await.expect_err("silent");
    assert!(error.is_timeout(), "{error}");
    assert!(matches!(failure(error), ProxyFailure::Timeout));
}

#[tokio::test]
async fn a_tunnel_of_the_agents_goes_through_the_proxy() {
    let server = Server::plain(|_| ok("hello")).await;
    let proxy = Proxy::socks(Manner::Open).await;
    let client = client(&format!("agents={},proxies={}", server.address, proxy.address), &[], Vec::new());
    let client = proxied(&client, &format!("socks5://{}", proxy.address));
    let mut link = client.connect_tcp(Purpose::Agents, "127.0.0.1", server.address.port()).await.expect("connects");
    link.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("writes");
    let mut answer = String::new();
    link.read_to_string(&mut answer).await.expect("reads");
    assert!(answer.ends_with("hello"), "{answer}");
    client.connect_tcp(Purpose::Agents, "::ffff:127.0.0.1", server.address.port()).await.expect("connects");
    assert_eq!(proxy.asked(), [server.address.to_string(), server.address.to_string()], "never in the form of another family");
}
