//! A model server on loopback that speaks the real OpenAI and Anthropic protocols and answers from a script.
//!
//! It is no model: it decides nothing. Which script answers is chosen by the model name of the request, so that one server
//! serves many tests at once.

mod anthropic;
mod chat;
mod responses;
mod script;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use script::{Call, Step, call, say};

/// A request that a model client made.
#[derive(Clone, Debug)]
pub struct Received {
    /// When the whole request was there.
    pub at: Instant,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

/// How a script is played.
#[derive(Clone, Debug)]
enum Play {
    /// Each request takes the next step; after the last the server says "done".
    InOrder(VecDeque<Step>),
    /// The step's index is the number of assistant turns in the request: the same conversation again gets the same answers.
    ByTurn(Vec<Step>),
    /// A function of the request and its number of assistant turns.
    Decided(Decision),
}

type Decide = dyn Fn(&Value, usize) -> Step + Send + Sync;

/// A script that reads what it was sent.
#[derive(Clone)]
struct Decision(Arc<Decide>);

impl std::fmt::Debug for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decision")
    }
}

#[derive(Debug, Default)]
struct Shared {
    scripts: Mutex<HashMap<String, Play>>,
    received: Mutex<Vec<Received>>,
}

/// A running scripted model. Stops when dropped.
#[derive(Debug)]
pub struct ScriptedModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Drop for ScriptedModel {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl ScriptedModel {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        Self::start_on(0).await.expect("a port is free")
    }

    /// Listens on this port of 127.0.0.1.
    pub async fn start_on(port: u16) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let routes = Router::new()
            .route("/v1/chat/completions", post(chat::serve))
            .route("/v1/responses", post(responses::serve))
            .route("/v1/messages", post(anthropic::serve))
            .with_state(shared.clone());
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the scripted model stopped");
            }
        });
        Ok(Self { address, shared, server })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for every protocol.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Answers requests for `model` with these steps, one for each request.
    pub fn in_order(&self, model: &str, steps: impl IntoIterator<Item = Step>) {
        self.set(model, Play::InOrder(steps.into_iter().collect()));
    }

    /// Answers requests for `model` by the number of assistant turns they hold. Any number of runs may play it at once.
    pub fn by_turn(&self, model: &str, steps: impl IntoIterator<Item = Step>) {
        self.set(model, Play::ByTurn(steps.into_iter().collect()));
    }

    /// Answers requests for `model` with what `decide` makes of the request and the number of assistant turns it holds.
    pub fn deciding(&self, model: &str, decide: impl Fn(&Value, usize) -> Step + Send + Sync + 'static) {
        self.set(model, Play::Decided(Decision(Arc::new(decide))));
    }

    /// Every request so far, in order.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("no panic while held").clone()
    }

    fn set(&self, model: &str, play: Play) {
        self.shared.scripts.lock().expect("no panic while held").insert(model.to_owned(), play);
    }
}

impl Shared {
    fn next(&self, path: &str, headers: HeaderMap, body: &Value, turns: usize) -> Step {
        self.received.lock().expect("no panic while held").push(Received {
            at: Instant::now(),
            path: path.to_owned(),
            headers,
            body: body.clone(),
        });
        let model = body["model"].as_str().unwrap_or_default();
        let done = || say("Done.");
        match self.scripts.lock().expect("no panic while held").get_mut(model) {
            None => Step::Refuse { status: 404, retry_after: None },
            Some(Play::InOrder(steps)) => steps.pop_front().unwrap_or_else(done),
            Some(Play::ByTurn(steps)) => steps.get(turns).cloned().unwrap_or_else(done),
            Some(Play::Decided(Decision(decide))) => decide(body, turns),
        }
    }
}

/// A protocol: how it counts turns in a request and how it writes an answer.
trait Protocol {
    const PATH: &'static str;
    fn turns(request: &Value) -> usize;
    /// The whole event stream of an answer.
    fn stream(text: &str, calls: &[Call], usage: Usage) -> String;
    fn error(status: u16) -> Value;
}

/// Tokens that the answer claims: a quarter of the bytes, so that they are stable and plausible.
#[derive(Clone, Copy, Debug)]
struct Usage {
    input: u64,
    output: u64,
}

async fn serve<P: Protocol>(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, axum::Json(json!({ "error": { "message": "not JSON" } }))).into_response();
    };
    let mut step = shared.next(P::PATH, headers.clone(), &request, P::turns(&request));
    if let Step::After { delay, then } = step {
        tokio::time::sleep(delay).await;
        step = *then;
    }
    let (text, calls) = match step {
        Step::Answer { text, calls } => (text, calls),
        Step::After { .. } => (String::new(), Vec::new()),
        Step::Refuse { status, retry_after } => {
            let mut response =
                (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), axum::Json(P::error(status))).into_response();
            if let Some(seconds) = retry_after {
                response.headers_mut().insert("retry-after", seconds.into());
            }
            return response;
        }
        Step::Reflect { status } => {
            let mut problem = P::error(status);
            problem["error"]["message"] = json!(format!("the headers were {headers:?}"));
            return (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), axum::Json(problem)).into_response();
        }
        Step::Garbage => return event_stream(Body::from("data: {\"oops\n\ndata: <html>\n\n")),
        Step::Hang => return event_stream(Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>())),
        Step::Cut { text } => {
            let usage = Usage { input: body.len() as u64 / 4, output: 0 };
            let whole = P::stream(&text, &[], usage);
            let half = Bytes::from(whole[..whole.len() / 2].to_owned());
            // The first half must be on its way before the break, or the client would see no answer at all.
            let broken = async {
                tokio::time::sleep(BEFORE_CUT).await;
                Err(std::io::Error::other("cut by the script"))
            };
            let cut = futures::stream::once(async { Ok(half) }).chain(futures::stream::once(broken));
            return event_stream(Body::from_stream(cut));
        }
    };
    let output = (text.len() + calls.iter().map(|call| call.arguments.to_string().len()).sum::<usize>()) as u64 / 4 + 1;
    event_stream(Body::from(P::stream(&text, &calls, Usage { input: body.len() as u64 / 4, output })))
}

fn event_stream(body: Body) -> Response {
    ([("content-type", "text/event-stream"), ("cache-control", "no-cache")], body).into_response()
}

/// Text in pieces of a few words, as models send it.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let cut = rest.char_indices().map(|(at, _)| at).nth(24).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(cut);
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// Between the half of an answer and its break.
const BEFORE_CUT: Duration = Duration::from_millis(100);

/// The longest time a script may wait before an answer.
pub const MAX_DELAY: Duration = Duration::from_mins(1);
