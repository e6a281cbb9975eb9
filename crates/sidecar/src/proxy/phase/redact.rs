//! Phase 6: secrets do not come back. Text is searched and masked as it streams; in other data only the bytes of a secret change.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use net::Response;

use super::inject::strip_connection_headers;
use crate::proxy::context::ProviderResponse;
use crate::proxy::mask::{Filler, MaskStream, Masker};
use crate::proxy::refusal::Refusal;

/// Wraps a response so that what is read from it holds no secret of the provider.
pub fn run(masker: &Arc<Masker>, response: Response) -> Result<ProviderResponse, Refusal> {
    let encoded = response.headers.get(CONTENT_ENCODING).is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded && !masker.is_empty() {
        return Err(Refusal::EncodedResponse);
    }
    let is_text = is_text(&response.headers);
    let announced = response.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut headers = mask_headers(masker, &response.headers);
    if is_text && !masker.is_empty() {
        headers.remove(CONTENT_LENGTH);
    }
    let status = response.status;
    let filler = if is_text { Filler::Word } else { Filler::SameLength };
    let body = if masker.is_empty() { response.into_stream().boxed() } else { mask_body(Arc::clone(masker), filler, response) };
    Ok(ProviderResponse { status, headers, announced, is_text, body })
}

fn mask_headers(masker: &Masker, given: &HeaderMap) -> HeaderMap {
    let mut own = given.clone();
    strip_connection_headers(&mut own);
    own.remove(SET_COOKIE);
    own.remove(HeaderName::from_static("set-cookie2"));
    own.into_iter()
        .scan(None, |last: &mut Option<HeaderName>, (name, value)| {
            // The iterator names a header once and then repeats its values without the name.
            *last = name.or_else(|| last.clone());
            Some((last.clone(), value))
        })
        .filter_map(|(name, value)| {
            let clean = HeaderValue::from_bytes(&masker.mask(value.as_bytes())).ok()?;
            Some((name?, clean))
        })
        .fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
}

fn mask_body(masker: Arc<Masker>, filler: Filler, response: Response) -> BoxStream<'static, Result<Bytes, net::Error>> {
    struct State {
        upstream: BoxStream<'static, Result<Bytes, net::Error>>,
        mask: MaskStream<Arc<Masker>>,
        ended: bool,
    }
    let state = State { upstream: response.into_stream().boxed(), mask: MaskStream::new(masker, filler), ended: false };
    stream::unfold(state, |mut state| async move {
        while !state.ended {
            let piece = match state.upstream.next().await {
                Some(Ok(bytes)) => Ok(state.mask.push(&bytes)),
                // What is held back might be the beginning of a secret; a broken body ends without it.
                Some(Err(error)) => {
                    state.ended = true;
                    Err(error)
                }
                None => {
                    state.ended = true;
                    Ok(state.mask.finish())
                }
            };
            if piece.as_ref().is_ok_and(Bytes::is_empty) {
                continue;
            }
            return Some((piece, state));
        }
        None
    })
    .boxed()
}

/// Whether the body is text. Without a type it counts as text.
pub fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (family, name) = kind.split_once('/').unwrap_or((kind.as_str(), ""));
    family == "text"
        || family.is_empty()
        || name.ends_with("+json")
        || name.ends_with("+xml")
        || family == "application"
            && matches!(
                name,
                "json"
                    | "xml"
                    | "javascript"
                    | "ecmascript"
                    | "x-www-form-urlencoded"
                    | "x-ndjson"
                    | "jsonl"
                    | "graphql"
                    | "yaml"
                    | "x-yaml"
                    | "toml"
                    | "sql"
                    | "http"
                    | "jwt"
            )
}
