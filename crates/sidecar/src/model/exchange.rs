//! One model call on the wire: post, classify the status, read events until the message is whole.

use std::time::Duration;

use agent::{DeltaSink, ModelError, ModelErrorKind, Timer, Turn};
use bytes::Bytes;
use domain::Secret;
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;
use url::Url;
use wire::message::Usage;

use super::error::{garbage, of_event, of_status, quoted, without_key};
use super::sse::{Event, Parser};
use super::transport::{StreamingResponse, Transport, TransportError};

/// Bytes of a body that is no event stream; enough to quote it.
const MAX_PLAIN_BYTES: usize = 64 * 1024;
/// Bytes of one whole stream. The output limit of a model stays far below.
const MAX_STREAM_BYTES: usize = 128 * 1024 * 1024;

/// A request, ready to be posted.
pub(super) struct Call {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

/// Turns a protocol's events into a message.
pub(super) trait Reader: Send {
    /// # Errors
    /// The event is an error, or breaks the protocol.
    fn read(&mut self, event: &Event, deltas: &dyn DeltaSink) -> Result<(), ModelError>;

    /// Whether the protocol's last event has been read.
    fn has_ended(&self) -> bool;

    /// Whether what was read is a whole message, should nothing follow.
    fn is_whole(&self) -> bool;

    /// What was reported so far.
    fn usage(&self) -> Option<Usage>;

    /// Takes the message.
    ///
    /// # Errors
    /// There is nothing in it.
    fn take(&mut self) -> Result<Turn, ModelError>;
}

pub(super) struct Exchange<'a> {
    pub(super) transport: &'a dyn Transport,
    pub(super) timer: &'a dyn Timer,
    /// Silence that is tolerated, before the head of the response and between two pieces of its body.
    pub(super) idle_timeout: Duration,
    pub(super) key: Option<&'a Secret>,
}

impl Exchange<'_> {
    pub(super) async fn run(&self, call: Call, reader: &mut dyn Reader, deltas: &dyn DeltaSink) -> Result<Turn, ModelError> {
        self.exchange(call, reader, deltas).await.map_err(|error| without_key(error, self.key))
    }

    async fn exchange(&self, call: Call, reader: &mut dyn Reader, deltas: &dyn DeltaSink) -> Result<Turn, ModelError> {
        let Call { url, mut headers, body } = call;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let body = Bytes::from(body.to_string());
        let response = self.unless_idle(self.transport.post(&url, headers, body)).await?.map_err(unreachable)?;
        if !response.status.is_success() {
            return Err(self.refusal(response).await);
        }
        if !is_event_stream(&response.headers) {
            return Err(self.no_stream(response).await);
        }
        // From here on the provider works on the request, so it counts.
        self.read(response, reader, deltas)
            .await
            .map_err(|error| ModelError { usage: Some(reader.usage().unwrap_or_default()), ..error })?;
        reader.take()
    }

    async fn read(&self, mut response: StreamingResponse, reader: &mut dyn Reader, deltas: &dyn DeltaSink) -> Result<(), ModelError> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        let mut total = 0;
        while let Some(piece) = self.unless_idle(response.body.next()).await? {
            let piece = match piece {
                Ok(piece) => piece,
                Err(_) if reader.is_whole() => return Ok(()),
                Err(error) => return Err(unreachable(error)),
            };
            total += piece.len();
            if total > MAX_STREAM_BYTES {
                return Err(garbage("the stream is larger than 128 MiB"));
            }
            parser.push(&piece, &mut events).map_err(|error| garbage(error.to_string()))?;
            for event in events.drain(..) {
                reader.read(&event, deltas)?;
                if reader.has_ended() {
                    return Ok(());
                }
            }
        }
        if reader.is_whole() {
            Ok(())
        } else {
            Err(ModelError::new(ModelErrorKind::Unreachable, "the stream was cut before the message was whole"))
        }
    }

    async fn unless_idle<T>(&self, work: impl Future<Output = T>) -> Result<T, ModelError> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.timer.sleep(self.idle_timeout) => {
                Err(ModelError::new(ModelErrorKind::TimedOut, format!("no answer for {} seconds", self.idle_timeout.as_secs())))
            }
        }
    }

    async fn refusal(&self, response: StreamingResponse) -> ModelError {
        let (status, headers) = (response.status, response.headers.clone());
        of_status(status, &headers, &self.beginning(response).await)
    }

    /// A success that is no stream: an error in disguise, or something that is no model at all.
    async fn no_stream(&self, response: StreamingResponse) -> ModelError {
        let kind = response.headers.get(header::CONTENT_TYPE).map_or("none", |value| value.to_str().unwrap_or("unreadable")).to_owned();
        let body = self.beginning(response).await;
        match serde_json::from_slice::<Value>(&body) {
            Ok(body) if body.get("error").is_some_and(|error| !error.is_null()) => of_event(&body),
            _ => garbage(format!(
                "the answer is no event stream (content type {}); it begins: {}",
                quoted(&kind),
                quoted(&String::from_utf8_lossy(&body[..body.len().min(200)]))
            )),
        }
    }

    /// The beginning of a body, as much of it as arrives in time, without the key: what is quoted of it may be cut anywhere.
    async fn beginning(&self, mut response: StreamingResponse) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < MAX_PLAIN_BYTES {
            // The status alone decides what happens; a body that breaks off is quoted as far as it came.
            let Ok(Some(Ok(piece))) = self.unless_idle(response.body.next()).await else { break };
            bytes.extend_from_slice(&piece);
        }
        bytes.truncate(MAX_PLAIN_BYTES);
        match self.key.map(Secret::expose).filter(|key| !key.is_empty()) {
            Some(key) => String::from_utf8_lossy(&bytes).replace(key.as_str(), "[redacted]").into_bytes(),
            None => bytes,
        }
    }
}

fn unreachable(error: TransportError) -> ModelError {
    ModelError::new(ModelErrorKind::Unreachable, error.0)
}

/// Some servers name no content type; anything else than an event stream is none.
fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(|value| value.as_bytes().to_ascii_lowercase().starts_with(b"text/event-stream"))
}

/// Headers with the key as a bearer token.
pub(super) fn bearer(key: Option<&Secret>) -> Result<HeaderMap, ModelError> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        headers.insert(header::AUTHORIZATION, secret_value(&format!("Bearer {}", key.expose()))?);
    }
    Ok(headers)
}

/// A header value that no debug output shows.
pub(super) fn secret_value(text: &str) -> Result<HeaderValue, ModelError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| ModelError::new(ModelErrorKind::Authentication, "the key holds characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}
