//! The protocol with the tool host: many calls at once over one socket. Nothing the host says is believed beyond the result of its
//! own call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use domain::PackageName;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::frame;
use wire::hands::{Call, File, FromHands, ToHands, ToolOutcome};

use super::bound;
use super::setup::{Beginning, PIECE};
use crate::limits;

/// Messages that wait to be written.
const QUEUE: usize = 64;

/// What a tool writes for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub tool: String,
    pub text: String,
}

/// The tool host of one sandbox.
#[derive(Debug)]
pub struct HandsClient {
    queue: mpsc::Sender<ToHands>,
    state: Arc<Mutex<State>>,
    /// Why a tool package could not be loaded, in the host's words.
    failures: HashMap<PackageName, String>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    pending: HashMap<u64, oneshot::Sender<ToolOutcome>>,
    dead: bool,
}

/// The tool host is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox has died")]
pub struct Dead;

impl HandsClient {
    /// Sends the setup and waits until the host is ready. The error text is for the user.
    pub async fn begin(socket: UnixStream, beginning: Beginning, lines: mpsc::Sender<Line>) -> Result<Self, String> {
        let (mut reader, mut writer) = socket.into_split();
        let io_error = |error: std::io::Error| format!("the tool host could not be set up: {error}");
        frame::send(&mut writer, &ToHands::Setup(beginning.setup)).await.map_err(io_error)?;
        let failures = ready(&mut reader, &lines).await?;
        let (queue, outgoing) = mpsc::channel(QUEUE);
        let state = Arc::new(Mutex::new(State::default()));
        tokio::spawn(write(writer, outgoing, Arc::clone(&state)));
        tokio::spawn(read(reader, lines, Arc::clone(&state)));
        let client = Self { queue, state, failures };
        for file in beginning.later {
            client.put(file).await.map_err(|error| format!("a file could not be laid out: {error}"))?;
        }
        Ok(client)
    }

    /// Why the package's tools are missing.
    pub fn load_failure(&self, package: &PackageName) -> Option<&str> {
        self.failures.get(package).map(String::as_str)
    }

    pub fn load_failures(&self) -> impl Iterator<Item = (&PackageName, &String)> {
        self.failures.iter()
    }

    /// Carries out a call. Its own failure, timeout or cancellation and the death of the host are error outcomes; [`Dead`] only when
    /// the host was dead before.
    pub async fn call(&self, request: Request<'_>, cancel: &CancellationToken) -> Result<ToolOutcome, Dead> {
        let (call, mut answer) = self.register()?;
        let message = ToHands::Call(Call {
            call,
            tool_call_id: request.tool_call_id.to_owned(),
            tool: request.tool.to_owned(),
            arguments: request.arguments.clone(),
            timeout_ms: Some(u64::try_from(request.timeout.as_millis()).unwrap_or(u64::MAX)),
        });
        let pending = Pending { client: self, call };
        if self.queue.send(message).await.is_err() {
            return Ok(died());
        }
        let reason = tokio::select! {
            outcome = &mut answer => return Ok(outcome.unwrap_or_else(|_| died())),
            () = cancel.cancelled() => "the call was cancelled".to_owned(),
            () = tokio::time::sleep(request.timeout + limits::CALL_GRACE) => {
                format!("the call was not over after {} seconds and was given up", request.timeout.as_secs())
            }
        };
        if self.queue.try_send(ToHands::Cancel { call }).is_err() {
            tracing::debug!("the tool host does not take a cancellation");
        }
        // A host that obeys answers now, perhaps with what it has; one that does not is not waited for.
        let outcome = timeout(limits::CALL_GRACE, &mut answer).await;
        drop(pending);
        Ok(outcome.ok().and_then(Result::ok).unwrap_or_else(|| ToolOutcome::error(reason)))
    }

    /// Writes a file below the workspace, in pieces.
    pub async fn put(&self, file: File) -> Result<(), String> {
        let File { path, content, mode } = file;
        let mut pieces = content.chunks(PIECE);
        // An empty file has no piece and is made all the same.
        self.put_piece(File { path: path.clone(), content: pieces.next().unwrap_or_default().to_vec(), mode }, false).await?;
        for piece in pieces {
            self.put_piece(File { path: path.clone(), content: piece.to_vec(), mode }, true).await?;
        }
        Ok(())
    }

    /// Writes or appends one piece of at most [`PIECE`] bytes.
    pub async fn put_piece(&self, file: File, append: bool) -> Result<(), String> {
        let (call, answer) = self.register().map_err(|dead| dead.to_string())?;
        let _pending = Pending { client: self, call };
        self.queue.send(ToHands::Put { call, file, append }).await.map_err(|_| Dead.to_string())?;
        match timeout(Duration::from_secs(30), answer).await {
            Ok(Ok(outcome)) if outcome.is_error => Err(text_of(&outcome)),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(Dead.to_string()),
            Err(_) => Err("the tool host did not write it in time".to_owned()),
        }
    }

    fn register(&self) -> Result<(u64, oneshot::Receiver<ToolOutcome>), Dead> {
        let mut state = self.lock();
        if state.dead {
            return Err(Dead);
        }
        state.next += 1;
        let (done, answer) = oneshot::channel();
        let call = state.next;
        state.pending.insert(call, done);
        Ok((call, answer))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while held")
    }
}

/// One call for the host.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub tool: &'a str,
    pub tool_call_id: &'a str,
    pub arguments: &'a Value,
    pub timeout: Duration,
}

/// Forgets a call whose future is dropped; a late answer then goes nowhere.
struct Pending<'a> {
    client: &'a HandsClient,
    call: u64,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if self.client.lock().pending.remove(&self.call).is_some()
            && self.client.queue.try_send(ToHands::Cancel { call: self.call }).is_err()
        {
            tracing::debug!("the tool host does not take a cancellation");
        }
    }
}

async fn ready(reader: &mut OwnedReadHalf, lines: &mpsc::Sender<Line>) -> Result<HashMap<PackageName, String>, String> {
    loop {
        match frame::receive(reader).await {
            Ok(Some(FromHands::Ready { failures, .. })) => {
                let short = |text| bound::cut(text, bound::LINE);
                return Ok(failures.into_iter().take(bound::BLOCKS).map(|failure| (failure.package, short(failure.message))).collect());
            }
            Ok(Some(FromHands::Line { tool, text })) => show(lines, tool, text),
            Ok(Some(FromHands::Failed { message })) => return Err(bound::cut(message, bound::LINE)),
            Ok(Some(_)) => return Err("the tool host answered before it was asked".to_owned()),
            Ok(None) => return Err("the tool host ended before it was ready".to_owned()),
            Err(error) => return Err(format!("the tool host could not be understood: {error}")),
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<ToHands>, state: Arc<Mutex<State>>) {
    while let Some(message) = queue.recv().await {
        let number = match &message {
            ToHands::Call(Call { call, .. }) | ToHands::Put { call, .. } => Some(*call),
            _ => None,
        };
        match frame::send(&mut writer, &message).await {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                let waiting = number.and_then(|call| state.lock().expect("no panic while held").pending.remove(&call));
                drop(waiting.map(|done| done.send(ToolOutcome::error("the arguments are too large"))));
            }
            Err(error) => {
                tracing::debug!(%error, "could not write to the tool host");
                die(&state);
                return;
            }
        }
    }
}

async fn read(mut reader: OwnedReadHalf, lines: mpsc::Sender<Line>, state: Arc<Mutex<State>>) {
    loop {
        match frame::receive(&mut reader).await {
            Ok(Some(FromHands::Done { call, outcome })) => {
                let done = state.lock().expect("no panic while held").pending.remove(&call);
                // An answer to a call that nobody waits for is dropped.
                drop(done.map(|done| done.send(bound::outcome(outcome))));
            }
            Ok(Some(FromHands::Line { tool, text })) => show(&lines, tool, text),
            // Partial results are for display in a later version; a second beginning says nothing.
            Ok(Some(FromHands::Update { .. } | FromHands::Ready { .. } | FromHands::Failed { .. })) => {}
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(%error, "could not understand the tool host");
                break;
            }
        }
    }
    die(&state);
}

fn show(lines: &mpsc::Sender<Line>, tool: String, text: String) {
    // Display only; a flood is dropped, not waited for.
    if lines.try_send(Line { tool: bound::cut(tool, 100), text: bound::cut(text, bound::LINE) }).is_err() {
        tracing::trace!("dropped a line of a tool");
    }
}

fn die(state: &Mutex<State>) {
    let mut state = state.lock().expect("no panic while held");
    state.dead = true;
    // Dropping the senders gives every waiting call its error outcome.
    state.pending.clear();
}

fn died() -> ToolOutcome {
    ToolOutcome::error("the sandbox died during this call; whatever it had not written is lost")
}

fn text_of(outcome: &ToolOutcome) -> String {
    let texts = outcome.content.iter().filter_map(|block| match block {
        wire::message::Block::Text { text } => Some(text.as_str()),
        wire::message::Block::Image { .. } => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}
