//! A proxy and small server for `fetch`, and what tools see of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;

use crate::host::{Host, with_source};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

/// Answers every request by a function; one connection each.
pub(crate) struct Proxy {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Proxy {
    pub(crate) fn start(answer: impl Fn(&Request) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let port = listener.local_addr().expect("address").port();
        let (seen, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, log, answer) = (stream.expect("accepts"), Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    log.lock().expect("lock").push(request.clone());
                    // The tool may have given up meanwhile.
                    let _gone = (&stream).write_all(answer(&request).as_bytes());
                });
            }
        });
        Self { port, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.lock().expect("lock").clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut request = Request { line: first, headers, body: Vec::new() };
    let length: u64 = request.header("content-length").map_or(0, |length| length.parse().expect("length"));
    reader.take(length).read_to_end(&mut request.body).ok()?;
    Some(request)
}

fn tool(body: &str) -> String {
    format!("export default (pi) => pi.registerTool({{ name: 'go', description: 'x', async execute(_id, params, signal) {{ {body} }} }});")
}

fn host(proxy: &Proxy, body: &str) -> Host {
    let mut setup = with_source(&tool(body));
    setup.environment.insert("HTTP_PROXY".to_owned(), proxy.url());
    setup.environment.insert("SIDECAR_URL".to_owned(), "http://sidecar:8080".to_owned());
    let host = Host::new(setup);
    assert_eq!(host.failures, []);
    host
}

#[test]
fn responses_arrive_whole_with_status_and_headers() {
    let proxy =
        Proxy::start(|_| "HTTP/1.1 404 Not Here\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a=b\r\nContent-Length: 5\r\n\r\nh\u{e9}!!".to_owned());
    let body = "const r = await fetch('http://example.com/x?y#z', { headers: [['X-Q', '1']] }); const bytes = new Uint8Array(await r.clone().arrayBuffer());\
                return JSON.stringify([r.ok, r.status, r.statusText, r.url, [...r.headers], await r.text(), bytes.length, r.bodyUsed]);";
    let mut host = host(&proxy, body);
    let expected = json!([
        false,
        404,
        "Not Here",
        "http://example.com/x?y",
        [["content-length", "5"], ["set-cookie", "a=b"], ["x-a", "1, 2"]],
        "hé!!",
        5,
        true
    ]);
    assert_eq!(host.ok("go", json!({})), expected.to_string());
    let request = &proxy.requests()[0];
    assert_eq!(
        (request.line.as_str(), request.header("x-q"), request.header("host")),
        ("GET http://example.com/x?y HTTP/1.1", Some("1"), Some("example.com"))
    );
}

#[test]
fn redirects_are_followed_and_secrets_stay_behind() {
    let proxy = Proxy::start(|request| match request.line.split(' ').nth(1).expect("target") {
        "https://a.example/start" => "HTTP/1.1 302 Found\r\nLocation: https://b.example/end\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "https://a.example/loop" => "HTTP/1.1 307 Again\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n".to_owned(),
        _ => "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend".to_owned(),
    });
    let body = "const init = { method: 'POST', body: 'x', headers: { authorization: 'Bearer s', 'x-a': '1' }, redirect: params.redirect };\
                const r = await fetch(params.url, init); return `${r.status} ${r.redirected} ${r.url} ${await r.text()}`;";
    let mut host = host(&proxy, body);
    assert_eq!(host.ok("go", json!({"url": "https://a.example/start"})), "200 true https://b.example/end end");
    let last = proxy.requests().pop().expect("requests");
    assert_eq!(
        (last.line.as_str(), last.header("authorization"), last.header("x-a"), last.body.len()),
        ("GET https://b.example/end HTTP/1.1", None, Some("1"), 0)
    );
    assert_eq!(host.ok("go", json!({"url": "https://a.example/start", "redirect": "manual"})), "302 false https://a.example/start ");
    assert!(host.fails("go", json!({"url": "https://a.example/start", "redirect": "error"})).contains("redirected"));
    assert!(host.fails("go", json!({"url": "https://a.example/loop"})).contains("more than 20 times"));
}

#[test]
fn an_aborted_fetch_ends_at_once_and_the_tool_goes_on() {
    let proxy = Proxy::start(|_| {
        thread::park();
        String::new()
    });
    let body = "try { await fetch('http://example.com', { signal: AbortSignal.timeout(50) }); } catch (error) { return `${error.name} ${error instanceof DOMException}`; }";
    assert_eq!(host(&proxy, body).ok("go", json!({})), "TimeoutError true");
}

#[test]
fn what_cannot_be_fetched_says_why() {
    let proxy = Proxy::start(|request| match request.line.split(' ').nth(1).expect("target") {
        "http://example.com/large" => format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(10 * 1024 * 1024 + 1)),
        "http://example.com/cut" => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort".to_owned(),
        _ => "nonsense".to_owned(),
    });
    let mut host = host(&proxy, "return (await fetch(params.url, params.init)).status;");
    for (url, expected) in [
        ("http://example.com/large", "larger than 10 MB"),
        ("http://example.com/cut", "ended early"),
        ("http://example.com/bad", "not valid HTTP"),
        ("ftp://example.com/", "only http: and https:"),
        ("http://user:pass@example.com/", "credentials"),
        ("not a url", "Invalid URL"),
        ("http://127.0.0.1:1/", "could not connect"),
    ] {
        let error = host.fails("go", json!({ "url": url }));
        assert!(error.contains(expected), "{url}: {error}");
    }
    let forged = json!({"url": "http://example.com/", "init": {"headers": {"x": "a\r\nHost: evil"}}});
    assert!(host.fails("go", forged).contains("Invalid header value"));
    let without = with_source(&tool("await fetch('https://example.com/');"));
    assert!(Host::new(without).fails("go", json!({})).contains("HTTP_PROXY names no proxy"));
}
