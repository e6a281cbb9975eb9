//! What is sent and what comes back.

use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use http::header::IntoHeaderName;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use crate::body::{self, Body};
use crate::error::Error;

/// How long to wait. Connecting has its own limit in [`crate::Options`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start to the response's head; `None` waits for ever.
    pub response: Option<Duration>,
    /// Between two pieces of the response's body; `None` waits for ever.
    pub idle: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { response: Some(Duration::from_secs(30)), idle: Some(Duration::from_mins(1)) }
    }
}

/// One request. A `Host` header is set from the URL, whatever `headers` say.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Body,
    pub timeouts: Timeouts,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: body::empty(), timeouts: Timeouts::default() }
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: impl IntoHeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Replaces all headers.
    #[must_use]
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// Sets a body that lies in memory.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = body::full(bytes);
        self
    }

    /// Sets a body that is produced as it is sent.
    #[must_use]
    pub fn stream(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }
}

/// One response, its body still on the way.
#[derive(Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
}

impl Response {
    /// Reads the body to its end; [`Error::TooLarge`] above `limit` bytes.
    pub async fn bytes(self, limit: usize) -> Result<Bytes, Error> {
        body::read(self.body, limit).await
    }

    /// The body's data as it comes.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        body::into_stream(self.body)
    }
}
