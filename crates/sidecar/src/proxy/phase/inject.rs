//! Phase 4: credentials. The provider's own header is set by the sidecar; slots are filled where the provider declares fields.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::proxy::context::{Prepared, ProviderRequest};
use crate::proxy::provider::Provider;
use crate::proxy::refusal::Refusal;
use crate::proxy::template::{self, Target};

/// Headers of the proxy's own protocol; they never go upstream.
pub const ROUTING: [&str; 4] = ["x-provider", "x-target", "x-substitute-body", "x-max-response-size"];

/// Builds the outgoing request without the provider's own header, which [`authorize`] adds per hop.
pub fn run(provider: &Provider, request: ProviderRequest, target: Target) -> Result<Prepared, Refusal> {
    let mut headers = request.headers;
    strip_connection_headers(&mut headers);
    for name in ROUTING {
        headers.remove(name);
    }
    for name in [HOST, CONTENT_LENGTH, EXPECT, ACCEPT_ENCODING] {
        headers.remove(name);
    }
    let (mut headers, slotted) = fill_headers(provider, &headers)?;
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let (body, body_has_credentials) = fill_body(provider, &headers, request.body, request.substitute_body)?;
    let has_credentials = target.has_credentials || !slotted.is_empty() || body_has_credentials;
    if has_credentials && !provider.may_carry(&target.url) {
        return Err(Refusal::NotForCredentials { provider: provider.spec.id.clone() });
    }
    Ok(Prepared { method: request.method, url: target.url, headers, body, slotted, body_has_credentials })
}

/// Sets the provider's header; what the caller sent under that name is dropped.
pub fn authorize(provider: &Provider, headers: &mut HeaderMap) -> Result<(), Refusal> {
    if let Some(injection) = provider.injection()? {
        headers.insert(injection.name.clone(), injection.value.clone());
    }
    Ok(())
}

/// Removes what belongs to one connection (RFC 9110 §7.6.1), the headers that `Connection` names included.
pub fn strip_connection_headers(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, PROXY_AUTHORIZATION, PROXY_AUTHENTICATE] {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection"] {
        headers.remove(name);
    }
}

fn fill_headers(provider: &Provider, given: &HeaderMap) -> Result<(HeaderMap, Vec<HeaderName>), Refusal> {
    let mut headers = HeaderMap::with_capacity(given.len() + 4);
    let mut slotted = Vec::new();
    for (name, value) in given {
        let Some(text) = value.to_str().ok().filter(|text| template::has_slot(text)) else {
            headers.append(name.clone(), value.clone());
            continue;
        };
        let filled = template::fill(provider, text)?;
        let mut value = HeaderValue::from_str(&filled).map_err(|_| Refusal::HeaderValue { name: name.to_string() })?;
        value.set_sensitive(true);
        headers.append(name.clone(), value);
        slotted.push(name.clone());
    }
    Ok((headers, slotted))
}

fn fill_body(provider: &Provider, headers: &HeaderMap, body: Bytes, substitute: bool) -> Result<(Bytes, bool), Refusal> {
    if !substitute || body.is_empty() {
        return Ok((body, false));
    }
    let text = std::str::from_utf8(&body).map_err(|_| Refusal::BodyNotText)?;
    if !template::has_slot(text) {
        return Ok((body, false));
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok((template::fill_body(provider, kind, text)?.into(), true))
}
