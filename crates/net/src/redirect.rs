//! Following redirects hop by hop, each under the caller's eyes.
//!
//! RFC 9110 §15.4: 301 and 302 turn POST into GET, 303 turns everything but HEAD into GET, 307 and 308 repeat the request. Credentials
//! never cross an origin: `Authorization`, `Cookie` and `Proxy-Authorization` are dropped, and what the caller's own rules add is
//! added per hop.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, COOKIE, LOCATION};
use http::header::{HeaderName, PROXY_AUTHORIZATION};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::client::Client;
use crate::error::Error;
use crate::policy::Purpose;
use crate::request::{Request, Response, Timeouts};

/// The longest chain.
pub const MAX_REDIRECTS: u32 = 10;

/// A request that can be repeated.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub timeouts: Timeouts,
}

/// Where in the chain a request stands.
#[derive(Clone, Copy, Debug)]
pub struct Hop {
    /// 0 is the caller's own request.
    pub number: u32,
    /// Whether every hop so far has had the origin of the first.
    pub same_origin: bool,
}

/// The caller's rules.
pub trait Hops: Send {
    type Error: From<Error> + Send;

    /// Before each request, the first included. May refuse it, or change the headers of this one request.
    fn before(&mut self, hop: Hop, request: &Outgoing, headers: &mut HeaderMap) -> Result<(), Self::Error>;

    /// After each response, redirects included.
    fn after(&mut self, url: &Url, response: &Response);
}

/// Sends the request and follows up to [`MAX_REDIRECTS`] redirects. The last URL comes back with the response.
pub async fn follow<H: Hops>(client: &Client, purpose: Purpose, mut outgoing: Outgoing, hops: &mut H) -> Result<(Url, Response), H::Error> {
    let mut hop = Hop { number: 0, same_origin: true };
    loop {
        let mut headers = outgoing.headers.clone();
        hops.before(hop, &outgoing, &mut headers)?;
        let request = Request::new(outgoing.method.clone(), outgoing.url.clone())
            .headers(headers)
            .body(outgoing.body.clone())
            .timeouts(outgoing.timeouts);
        let response = client.send(purpose, request).await?;
        hops.after(&outgoing.url, &response);
        let Some(next) = next_url(&outgoing.url, &response)? else { return Ok((outgoing.url, response)) };
        if hop.number == MAX_REDIRECTS {
            return Err(Error::TooManyRedirects { limit: MAX_REDIRECTS }.into());
        }
        hop.number += 1;
        hop.same_origin &= next.origin() == outgoing.url.origin();
        advance(&mut outgoing, next, response.status);
    }
}

/// Where the response redirects to; `None` if it does not.
fn next_url(current: &Url, response: &Response) -> Result<Option<Url>, Error> {
    let redirects = matches!(
        response.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let Some(location) = response.headers.get(LOCATION).filter(|_| redirects) else { return Ok(None) };
    let location = location.to_str().map_err(|_| Error::InvalidRedirect)?;
    let mut next = current.join(location).map_err(|_| Error::InvalidRedirect)?;
    if next.fragment().is_none() {
        next.set_fragment(current.fragment());
    }
    Ok(Some(next))
}

fn advance(outgoing: &mut Outgoing, next: Url, status: StatusCode) {
    let becomes_get = match status {
        StatusCode::SEE_OTHER => outgoing.method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => outgoing.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        outgoing.method = Method::GET;
        outgoing.body = Bytes::new();
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION] {
            outgoing.headers.remove(name);
        }
    }
    if next.origin() != outgoing.url.origin() {
        for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HeaderName::from_static("cookie2")] {
            outgoing.headers.remove(name);
        }
    }
    outgoing.url = next;
}
