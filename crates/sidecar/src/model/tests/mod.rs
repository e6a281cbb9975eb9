//! Golden transcripts through a fake transport, cut at every place, and every way a call can fail.

mod failures;
mod golden;
mod requests;
mod variants;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::{CacheMarkers, DeltaSink, ModelError, Timer, Turn, TurnRequest};
use async_trait::async_trait;
use bytes::Bytes;
use domain::Secret;
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use url::Url;
use wire::message::{AssistantMessage, Block, Message, ToolCall, ToolResult};
use wire::run_spec::{ModelProtocol, ModelSpec, ToolCarrier, ToolSpec};

use super::transport::{StreamingResponse, Transport, TransportError};

const KEY: &str = "sk-canary-12345678";

/// One piece of a body.
#[derive(Clone)]
enum Piece {
    Bytes(Vec<u8>),
    Broken,
    /// Nothing more, but the connection stays open.
    Silence,
}

/// Answers one call and remembers its request.
#[derive(Clone)]
struct FakeTransport {
    /// `None`: the head of the response never comes.
    status: Option<u16>,
    headers: Vec<(&'static str, &'static str)>,
    pieces: Vec<Piece>,
    seen: Arc<Mutex<Option<(Url, HeaderMap, Value)>>>,
}

impl FakeTransport {
    fn stream(pieces: Vec<Piece>) -> Self {
        Self { status: Some(200), headers: vec![("content-type", "text/event-stream; charset=utf-8")], pieces, seen: Arc::default() }
    }

    fn text(text: &str) -> Self {
        Self::stream(vec![Piece::Bytes(text.as_bytes().to_vec())])
    }

    fn refusal(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Self {
        Self { status: Some(status), headers: headers.to_vec(), ..Self::text(body) }
    }

    fn seen(&self) -> (Url, HeaderMap, Value) {
        self.seen.lock().expect("lock").clone().expect("a request was made")
    }
}

#[async_trait]
impl Transport for FakeTransport {
    async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<StreamingResponse, TransportError> {
        let body = serde_json::from_slice(&body).expect("the body is JSON");
        *self.seen.lock().expect("lock") = Some((url.clone(), headers, body));
        let Some(status) = self.status else {
            return std::future::pending().await;
        };
        let pieces = futures::stream::iter(self.pieces.clone()).then(|piece| async {
            match piece {
                Piece::Bytes(bytes) => Ok(Bytes::from(bytes)),
                Piece::Broken => Err(TransportError("the connection was reset".to_owned())),
                Piece::Silence => std::future::pending().await,
            }
        });
        Ok(StreamingResponse {
            status: StatusCode::from_u16(status).expect("status"),
            headers: self.headers.iter().map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value"))).collect(),
            body: pieces.boxed(),
        })
    }
}

/// Every sleep is over at once: whoever waits for something that does not come has waited long enough.
struct NoWait;

#[async_trait]
impl Timer for NoWait {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _duration: Duration) {}
}

#[derive(Default)]
struct Shown(Mutex<String>);

impl DeltaSink for Shown {
    fn delta(&self, text: &str) {
        self.0.lock().expect("lock").push_str(text);
    }
}

fn spec(protocol: ModelProtocol) -> ModelSpec {
    ModelSpec {
        id: None,
        label: "Test".to_owned(),
        protocol,
        base_url: "https://model.example/v1".parse().expect("url"),
        model: "test-model".to_owned(),
        context_window: 200_000,
        max_output_tokens: 4_096,
        reasoning: false,
        accepts_images: true,
        price: None,
    }
}

/// A conversation with everything in it: text, an image, reasoning, parallel calls, an error.
fn conversation(opaque: Vec<Value>) -> Vec<Message> {
    let call = |id: &str, name: &str, arguments: Value| ToolCall { id: id.to_owned(), name: name.to_owned(), arguments };
    let result = |id: &str, name: &str, content: Vec<Block>, is_error| ToolResult {
        tool_call_id: id.to_owned(),
        name: name.to_owned(),
        content,
        is_error,
    };
    let image = Block::Image { data: "aGk=".to_owned(), mime_type: "image/png".to_owned() };
    vec![
        Message::User { content: vec![Block::text("begin")] },
        Message::Assistant(AssistantMessage {
            text: "I look.".to_owned(),
            tool_calls: vec![call("call_a", "read", json!({"path": "a"})), call("call_b", "bash", json!("{\"comm"))],
            opaque,
        }),
        Message::Tool {
            results: vec![
                result("call_a", "read", vec![Block::text("see"), image], false),
                result("call_b", "bash", vec![Block::text("no JSON")], true),
            ],
        },
        Message::User { content: vec![Block::text("go on")] },
    ]
}

fn tools() -> Vec<ToolSpec> {
    vec![ToolSpec {
        name: "read".to_owned(),
        description: "Reads.".to_owned(),
        parameters: json!({"properties": {"path": {"type": "string"}}}),
        carrier: ToolCarrier::Host,
    }]
}

async fn call(spec: &ModelSpec, transport: &FakeTransport, messages: &[Message]) -> (Result<Turn, ModelError>, String) {
    let tools = tools();
    let last = [messages.len() - 1];
    let request = TurnRequest {
        system: "be good",
        messages,
        tools: &tools,
        max_output_tokens: spec.max_output_tokens,
        cache: CacheMarkers { system: true, messages: &last },
    };
    let shown = Shown::default();
    let client = super::client(spec, Some(Secret::from(KEY)), Arc::new(transport.clone()), Arc::new(NoWait));
    let result = client.turn(&request, &shown).await;
    let shown = shown.0.into_inner().expect("lock");
    (result, shown)
}

/// One call with a short conversation.
async fn turn(protocol: ModelProtocol, transport: &FakeTransport) -> Result<Turn, ModelError> {
    call(&spec(protocol), transport, &[Message::User { content: vec![Block::text("begin")] }]).await.0
}
