//! One request and its response on one connection.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use url::{Position, Url};

use super::routes::Routes;
use super::{Abort, FetchError, Request, Response, body};

const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Without a byte for so long, a connection has failed.
const IDLE_TIME: Duration = Duration::from_mins(2);
const MAX_HEAD_BYTES: u64 = 64 * 1024;
const MAX_HEADERS: usize = 200;
/// This connection's own business, whatever the tool says.
const OURS: [&str; 9] =
    ["host", "connection", "content-length", "transfer-encoding", "keep-alive", "upgrade", "te", "expect", "accept-encoding"];

pub(super) fn send(request: &Request, routes: &Routes, abort: &Abort) -> Result<Response, FetchError> {
    let route = routes.route(&request.url)?;
    let connected = TcpStream::connect_timeout(&route.address, CONNECT_TIME);
    let mut socket =
        connected.map_err(|source| FetchError::Connect { host: request.url.host_str().unwrap_or_default().to_owned(), source })?;
    abort.watch(&socket)?;
    socket.set_read_timeout(Some(IDLE_TIME))?;
    socket.set_write_timeout(Some(IDLE_TIME))?;
    socket.set_nodelay(true)?;
    let mut bytes = head(request, route.is_proxy).into_bytes();
    bytes.extend_from_slice(request.body.as_deref().unwrap_or_default());
    // A server may answer and close before it has read the whole body: its answer counts.
    let written = socket.write_all(&bytes);
    let mut reader = BufReader::new(socket);
    match receive(&mut reader, request) {
        Ok(response) => Ok(response),
        Err(error) => Err(written.err().map_or(error, FetchError::Io)),
    }
}

fn head(request: &Request, is_proxy: bool) -> String {
    let url = &request.url;
    let target = if is_proxy { &url[..Position::AfterQuery] } else { &url[Position::BeforePath..Position::AfterQuery] };
    let mut head =
        format!("{} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAccept-Encoding: identity\r\n", request.method, host(url));
    let has = |wanted: &str| request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    if !has("accept") {
        head.push_str("Accept: */*\r\n");
    }
    if !has("user-agent") {
        head.push_str("User-Agent: appstrate-tool\r\n");
    }
    for (name, value) in request.headers.iter().filter(|(name, _)| !OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours))) {
        head.extend([name, ": ", value, "\r\n"]);
    }
    match &request.body {
        Some(body) => format!("{head}Content-Length: {}\r\n\r\n", body.len()),
        None if matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") => head + "Content-Length: 0\r\n\r\n",
        None => head + "\r\n",
    }
}

fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

fn receive(reader: &mut impl BufRead, request: &Request) -> Result<Response, FetchError> {
    loop {
        let (status, status_text, headers) = read_head(reader)?;
        if (100..200).contains(&status) {
            continue;
        }
        let has_body = request.method != "HEAD" && !matches!(status, 204 | 304);
        let body = if has_body { body::read(reader, &headers)? } else { Vec::new() };
        let mut url = request.url.clone();
        url.set_fragment(None);
        return Ok(Response { status, status_text, headers, body, url: url.into(), redirected: false });
    }
}

type Head = (u16, String, Vec<(String, String)>);

fn read_head(reader: &mut impl BufRead) -> Result<Head, FetchError> {
    let mut reader = reader.take(MAX_HEAD_BYTES);
    let first = read_line(&mut reader)?;
    let mut parts = first.splitn(3, ' ');
    let version = parts.next().unwrap_or_default();
    let status = parts.next().and_then(|status| status.parse().ok()).filter(|status| (100..1000).contains(status));
    let (true, Some(status)) = (version.starts_with("HTTP/1."), status) else { return Err(FetchError::Malformed("its first line")) };
    let reason = parts.next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let line = read_line(&mut reader)?;
        if line.is_empty() {
            return Ok((status, reason, headers));
        }
        let (name, value) = line.split_once(':').ok_or(FetchError::Malformed("a header without a colon"))?;
        if headers.len() == MAX_HEADERS || name.is_empty() || name.contains(char::is_whitespace) {
            return Err(FetchError::Malformed("its headers"));
        }
        headers.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
    }
}

/// A line without its end; Latin-1, as headers are.
pub(super) fn read_line(reader: &mut impl BufRead) -> Result<String, FetchError> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(FetchError::Malformed("it ended early, or a line is too long"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line.into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::super::Redirect;
    use super::*;

    fn get() -> Request {
        let url = Url::parse("https://user@api.example:444/a?b=c#d").expect("url");
        let headers = vec![("Host".to_owned(), "other".to_owned()), ("x-a".to_owned(), "1".to_owned())];
        Request { method: "GET".to_owned(), url, headers, body: None, redirect: Redirect::Follow }
    }

    fn answer(text: &str) -> Result<Response, FetchError> {
        receive(&mut BufReader::with_capacity(7, text.as_bytes()), &get())
    }

    #[test]
    fn a_proxy_gets_the_whole_address_and_the_tool_cannot_forge_framing() {
        let head = head(&Request { url: Url::parse("https://api.example:444/a?b=c#d").expect("url"), ..get() }, true);
        assert!(head.starts_with("GET https://api.example:444/a?b=c HTTP/1.1\r\nHost: api.example:444\r\n"), "{head}");
        assert!(!head.contains("other") && head.contains("x-a: 1\r\n"), "{head}");
    }

    #[test]
    fn answers_come_with_a_length_in_chunks_or_until_the_end() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and what nobody asked for",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello",
        ] {
            assert_eq!(answer(text).expect(text).body, b"hello");
        }
    }

    #[test]
    fn broken_answers_are_errors() {
        for text in [
            "",
            "nonsense\r\n\r\n",
            "HTTP/1.1 99 Low\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        ] {
            assert!(answer(text).is_err(), "{text}");
        }
        let endless = "HTTP/1.1 200 OK\r\nx: ".bytes().chain(std::iter::repeat_n(b'a', 100_000)).collect::<Vec<_>>();
        assert!(receive(&mut BufReader::new(endless.as_slice()), &get()).is_err());
        let body = std::io::repeat(b'a').take(super::super::MAX_BODY_BYTES as u64 + 1);
        let large = b"HTTP/1.1 200 OK\r\n\r\n".as_slice().chain(body);
        assert!(matches!(receive(&mut BufReader::new(large), &get()), Err(FetchError::TooLarge)));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer_or_an_error(tail in prop::collection::vec(any::<u8>(), 0..200), chunked: bool) {
            let mut bytes = b"HTTP/1.1 200 OK\r\n".to_vec();
            bytes.extend_from_slice(if chunked { b"Transfer-Encoding: chunked\r\n\r\n" } else { b"" });
            bytes.extend(tail);
            if let Ok(response) = receive(&mut BufReader::new(bytes.as_slice()), &get()) {
                prop_assert!(response.body.len() <= bytes.len());
            }
        }
    }
}
