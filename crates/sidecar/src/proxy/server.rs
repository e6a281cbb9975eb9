//! `http://sidecar:8080`: `/proxy`, `/run-history`, `/health`.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use net::{Body, body};
use serde_json::json;

use super::context::{ProviderRequest, ProviderResponse};
use super::pipeline::Proxy;
use super::refusal::Refusal;
use crate::http_io;
use crate::limits;
use crate::run_history::RunHistory;

const TRUNCATED: HeaderName = HeaderName::from_static("x-truncated");

/// Answers one request of the sandbox.
pub async fn answer(proxy: Proxy, history: Arc<dyn RunHistory>, request: Request<Incoming>) -> Response<Body> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/health") => http_io::json(StatusCode::OK, &json!({ "status": "ok" })),
        (&Method::GET, "/run-history") => crate::run_history::answer(history.as_ref(), request.uri().query().unwrap_or_default()).await,
        (_, "/proxy") => match forward(&proxy, request).await {
            Ok(response) => response,
            Err(refusal) => http_io::json(refusal.status(), &refusal.body()),
        },
        (_, "/health" | "/run-history") => {
            http_io::refuse(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "only GET is answered here")
        }
        _ => http_io::refuse(StatusCode::NOT_FOUND, "not_found", "the sidecar serves /proxy, /run-history and /health"),
    }
}

async fn forward(proxy: &Proxy, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let (head, incoming) = request.into_parts();
    let provider = text_header(&head.headers, "x-provider", "X-Provider")?;
    let target = text_header(&head.headers, "x-target", "X-Target")?;
    let limit = response_limit(&head.headers)?;
    let substitute_body = head.headers.contains_key("x-substitute-body");
    let bodiless = head.method == Method::HEAD;
    let body = read_body(incoming, head.headers.contains_key(EXPECT)).await?;
    let request = ProviderRequest { provider, method: head.method, target, headers: head.headers, body, substitute_body };
    cap(proxy.call(request).await?, limit, bodiless).await
}

fn text_header(headers: &HeaderMap, name: &str, shown: &'static str) -> Result<String, Refusal> {
    let bad = |problem| Refusal::BadHeader { name: shown, problem };
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or_else(|| bad("it is required"))?;
    if values.next().is_some() {
        return Err(bad("it may stand only once"));
    }
    // Targets may hold letters beyond ASCII; header values are bytes.
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| bad("it is not UTF-8"))?;
    if text.trim().is_empty() { Err(bad("it is empty")) } else { Ok(text.trim().to_owned()) }
}

fn response_limit(headers: &HeaderMap) -> Result<usize, Refusal> {
    let Some(value) = headers.get("x-max-response-size") else { return Ok(limits::RESPONSE_DEFAULT) };
    let size = value.to_str().ok().and_then(|text| text.trim().parse::<usize>().ok()).filter(|size| *size > 0);
    let size = size.ok_or(Refusal::BadHeader { name: "X-Max-Response-Size", problem: "it is not a number of bytes" })?;
    Ok(size.min(limits::RESPONSE_MAX))
}

/// Reads a body up to the limit. One that is somewhat larger is read to its end and thrown away, because a connection that is closed
/// while the other side still writes loses the answer; a client that asked first (`Expect`) has not begun to write.
async fn read_body(mut incoming: Incoming, asked_first: bool) -> Result<Bytes, Refusal> {
    const DRAINED: usize = 4 * limits::REQUEST_BODY;
    let announced = incoming.size_hint().lower();
    let mut too_large = announced > limits::REQUEST_BODY as u64;
    let refusal = Refusal::BodyTooLarge { limit: limits::REQUEST_BODY };
    if too_large && (asked_first || announced > DRAINED as u64) {
        return Err(refusal);
    }
    let mut collected = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = incoming.frame().await {
        let broken = |error: hyper::Error| Refusal::Net(net::Error::RequestBody { source: Arc::new(error) });
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        total += data.len();
        too_large |= total > limits::REQUEST_BODY;
        if total > DRAINED {
            return Err(refusal);
        }
        if too_large {
            collected = BytesMut::new();
        } else {
            collected.extend_from_slice(&data);
        }
    }
    if too_large { Err(refusal) } else { Ok(collected.freeze()) }
}

/// Cuts the body at `limit`. Streams where the provider announced a length; otherwise reads up to the limit first, because
/// `X-Truncated` is a header and must be known.
async fn cap(response: ProviderResponse, limit: usize, bodiless: bool) -> Result<Response<Body>, Refusal> {
    let ProviderResponse { status, headers, announced, mut body, .. } = response;
    let mut answer = Response::new(body::empty());
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    // Only the proxy says this.
    answer.headers_mut().remove(TRUNCATED);
    if bodiless {
        // Read to its end so that the event is complete.
        while body.next().await.is_some() {}
        return Ok(answer);
    }
    match announced {
        Some(length) if length <= limit as u64 => *answer.body_mut() = body::stream(body),
        Some(_) => {
            truncate(&mut answer);
            *answer.body_mut() = body::stream(taking(body, limit));
        }
        None => {
            let (bytes, more) = take(body, limit).await?;
            if more {
                truncate(&mut answer);
            }
            *answer.body_mut() = body::full(bytes);
        }
    }
    Ok(answer)
}

fn truncate(answer: &mut Response<Body>) {
    answer.headers_mut().remove(CONTENT_LENGTH);
    answer.headers_mut().insert(TRUNCATED, HeaderValue::from_static("true"));
}

type Pieces = futures::stream::BoxStream<'static, Result<Bytes, net::Error>>;

fn taking(body: Pieces, limit: usize) -> impl futures::Stream<Item = Result<Bytes, net::Error>> + Send {
    body.scan(limit, |left, piece| {
        let piece = piece.map(|bytes| bytes.slice(..bytes.len().min(*left)));
        *left -= piece.as_ref().map_or(0, Bytes::len);
        futures::future::ready(Some((piece, *left)))
    })
    // The piece that reaches the limit is the last that is passed on.
    .scan(false, |ended, (piece, left)| {
        let item = (!*ended).then_some(piece);
        *ended = left == 0;
        futures::future::ready(item)
    })
}

/// The first `limit` bytes, and whether there are more.
async fn take(mut body: Pieces, limit: usize) -> Result<(Bytes, bool), Refusal> {
    let mut collected = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        let room = limit - collected.len();
        collected.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room {
            return Ok((collected.freeze(), true));
        }
    }
    Ok((collected.freeze(), false))
}
