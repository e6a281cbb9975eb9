//! What the phases of one provider request share.

use bytes::Bytes;
use futures::stream::BoxStream;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use url::Url;

/// A request as the agent asks for it.
#[derive(Debug)]
pub struct ProviderRequest {
    /// `@scope/name`, or `name` where that is unambiguous.
    pub provider: String,
    pub method: Method,
    /// May hold slots.
    pub target: String,
    /// May hold slots in its values.
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Whether slots in the body are filled.
    pub substitute_body: bool,
}

/// The provider's answer, checked for secrets as it is read.
pub struct ProviderResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The length that the provider announced.
    pub announced: Option<u64>,
    /// Whether the body's type is text.
    pub is_text: bool,
    pub body: BoxStream<'static, Result<Bytes, net::Error>>,
}

impl std::fmt::Debug for ProviderResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A request on its way: filled by the phases, one after the other.
#[derive(Debug)]
pub struct Prepared {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Headers of the caller with a filled slot.
    pub slotted: Vec<HeaderName>,
    /// Whether the body holds a credential by slot.
    pub body_has_credentials: bool,
}
