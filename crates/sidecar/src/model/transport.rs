//! What the model clients need of an HTTP client. The sidecar implements it over `net`.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use http::{HeaderMap, StatusCode};
use url::Url;

/// Posts requests and streams the answers. Dropping a future or a body closes its connection or gives it up.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Returns as soon as the response's head is there. Follows no redirect, decodes nothing, and has no timeout of its own
    /// beyond that of connecting.
    async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<StreamingResponse, TransportError>;
}

/// A response whose body arrives in pieces of any size.
pub struct StreamingResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: BoxStream<'static, Result<Bytes, TransportError>>,
}

/// The request or its response did not get through. The text names no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TransportError(pub String);
