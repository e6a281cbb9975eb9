//! HTTP/1.1 for `fetch`: plain text only, to the run's proxy or to its own loopback. The sidecar speaks TLS and decides what may be reached.

mod body;
mod exchange;
mod routes;

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, PoisonError};

use url::Url;

pub(super) use routes::Routes;

/// Bytes of one response body.
pub(super) const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
const MAX_REDIRECTS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    Follow,
    Manual,
    Error,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: Url,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) redirect: Redirect,
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) status_text: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) url: String,
    pub(super) redirected: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the request was aborted")]
    Aborted,
    #[error("only http: and https: can be fetched, not '{0}:'")]
    Scheme(String),
    #[error("there is no way to '{0}': HTTP_PROXY names no proxy")]
    NoRoute(String),
    #[error("the proxy '{0}' is not an address that can be reached from here")]
    Proxy(String),
    #[error("could not connect to {host}: {source}")]
    Connect { host: String, source: io::Error },
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("the answer is not valid HTTP: {0}")]
    Malformed(&'static str),
    #[error("the response body is larger than {} MB", MAX_BODY_BYTES >> 20)]
    TooLarge,
    #[error("the request was redirected more than {MAX_REDIRECTS} times")]
    TooManyRedirects,
    #[error("the request was redirected, which its 'redirect' option forbids")]
    Redirected,
    #[error("the redirect to '{0}' is not a valid address")]
    BadLocation(String),
}

/// Ends a fetch from another thread.
#[derive(Default)]
pub(super) struct Abort {
    state: Mutex<AbortState>,
}

#[derive(Default)]
struct AbortState {
    aborted: bool,
    socket: Option<TcpStream>,
}

impl Abort {
    pub(super) fn abort(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.aborted = true;
        if let Some(socket) = state.socket.take() {
            // One that is closed already has nothing to wake.
            let _closed = socket.shutdown(Shutdown::Both);
        }
    }

    fn is_aborted(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).aborted
    }

    /// Has `socket` shut down when the fetch is aborted.
    fn watch(&self, socket: &TcpStream) -> Result<(), FetchError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.aborted {
            return Err(FetchError::Aborted);
        }
        state.socket = Some(socket.try_clone()?);
        Ok(())
    }
}

/// Sends a request and follows redirects as it asks.
pub(super) fn fetch(mut request: Request, routes: &Routes, abort: &Abort) -> Result<Response, FetchError> {
    for hop in 0..=MAX_REDIRECTS {
        let result = exchange::send(&request, routes, abort);
        if abort.is_aborted() {
            return Err(FetchError::Aborted);
        }
        let mut response = result?;
        let location = response.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.clone());
        match (request.redirect, location) {
            (Redirect::Follow, Some(location)) if is_redirect(response.status) => follow(&mut request, response.status, &location)?,
            (Redirect::Error, _) if is_redirect(response.status) => return Err(FetchError::Redirected),
            _ => {
                response.redirected = hop > 0;
                return Ok(response);
            }
        }
    }
    Err(FetchError::TooManyRedirects)
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Fetch standard, HTTP-redirect fetch: 303 and a redirected POST become GET; credentials do not cross origins.
fn follow(request: &mut Request, status: u16, location: &str) -> Result<(), FetchError> {
    let mut target = request.url.join(location).map_err(|_| FetchError::BadLocation(location.to_owned()))?;
    if target.fragment().is_none() {
        target.set_fragment(request.url.fragment());
    }
    let becomes_get =
        (matches!(status, 301 | 302) && request.method == "POST") || (status == 303 && !matches!(request.method.as_str(), "GET" | "HEAD"));
    if becomes_get {
        "GET".clone_into(&mut request.method);
        request.body = None;
        request.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
    }
    if target.origin() != request.url.origin() {
        let is_secret =
            |name: &str| ["authorization", "cookie", "proxy-authorization"].iter().any(|secret| name.eq_ignore_ascii_case(secret));
        request.headers.retain(|(name, _)| !is_secret(name));
    }
    request.url = target;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, headers: &[(&str, &str)]) -> Request {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let url = Url::parse("https://a.example/x#part").expect("url");
        Request { method: method.to_owned(), url, headers, body: Some(b"b".to_vec()), redirect: Redirect::Follow }
    }

    #[test]
    fn a_redirect_keeps_or_drops_what_the_standard_says() {
        let mut post = request("POST", &[("Authorization", "secret"), ("Content-Type", "text/plain"), ("x-a", "1")]);
        follow(&mut post, 302, "/y").expect("follows");
        assert_eq!((post.method.as_str(), post.url.as_str(), post.body.as_deref()), ("GET", "https://a.example/y#part", None));
        assert_eq!(post.headers.len(), 2);
        follow(&mut post, 307, "https://b.example/z").expect("follows");
        assert_eq!(post.headers, [("x-a".to_owned(), "1".to_owned())]);
        let mut put = request("PUT", &[("content-type", "text/plain")]);
        follow(&mut put, 308, "y").expect("follows");
        assert_eq!((put.method.as_str(), put.body.is_some(), put.headers.len()), ("PUT", true, 1));
    }
}
