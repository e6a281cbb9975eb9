//! The model clients' HTTP, over the one outbound client.

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue, Method};
use net::{Client, Purpose, Request, Timeouts};
use url::Url;

use crate::model::transport::{StreamingResponse, Transport, TransportError};

/// Posts to models. The model clients keep their own idle timeout, so this one has none beyond connecting.
#[derive(Clone, Debug)]
pub struct ModelTransport(pub Client);

#[async_trait]
impl Transport for ModelTransport {
    async fn post(&self, url: &Url, mut headers: HeaderMap, body: Bytes) -> Result<StreamingResponse, TransportError> {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let request = Request::new(Method::POST, url.clone()).headers(headers).body(body).timeouts(Timeouts { response: None, idle: None });
        let response = self.0.send(Purpose::Models, request).await.map_err(|error| explain(&error))?;
        let (status, headers) = (response.status, response.headers.clone());
        let body = response.into_stream().map(|piece| piece.map_err(|error| explain(&error))).boxed();
        Ok(StreamingResponse { status, headers, body })
    }
}

/// The error with its cause: "no connection …" alone does not tell a closed port from a silent one.
fn explain(error: &net::Error) -> TransportError {
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    TransportError(format!("{error}{cause}"))
}
