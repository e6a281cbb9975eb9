//! Frames: durable messages are numbered and wait for the worker's `Committed`.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use agent::{Cancel, Journal, PortLost};
use async_trait::async_trait;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use wire::control::{FromSidecar, Outcome, Start, ToSidecar};
use wire::frame;
use wire::run_event::RunEvent;

use super::descriptors::{self, SandboxSockets};
use crate::limits;
use crate::run_history::RunHistory;

/// Frames that wait to be written; display text is dropped when it is full.
const QUEUE: usize = 256;

/// The worker, as the run sees it.
#[derive(Debug)]
pub struct Control {
    queue: mpsc::Sender<Outgoing>,
    /// The next number. Held while a frame is queued, so that numbers go out in order.
    number: AsyncMutex<u64>,
    waiting: Arc<Mutex<Waiting>>,
    lost: CancellationToken,
    descriptors: UnixStream,
}

#[derive(Debug)]
enum Outgoing {
    Frame(Box<FromSidecar>),
    /// Answered when everything before it is written.
    Flush(oneshot::Sender<()>),
}

#[derive(Debug, Default)]
struct Waiting {
    committed: HashMap<u64, oneshot::Sender<()>>,
    history: HashMap<u64, oneshot::Sender<Vec<Value>>>,
    sandbox: Option<oneshot::Sender<Result<(), String>>>,
    lost: bool,
}

/// Says `Ready`, waits for the run, then serves the connection in the background. `None`: the worker closed it before a run came.
///
/// `Cancel` messages go to `cancel`; when the worker is gone, [`Control::lost`] fires.
pub async fn open(control: UnixStream, descriptors: UnixStream, cancel: &Cancel) -> io::Result<Option<(Arc<Control>, Box<Start>)>> {
    let (mut reader, mut writer) = control.into_split();
    frame::send(&mut writer, &FromSidecar::Ready).await?;
    let start = match frame::receive(&mut reader).await? {
        None => return Ok(None),
        Some(ToSidecar::Start(start)) => start,
        Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "the first message was no start")),
    };
    let (queue, outgoing) = mpsc::channel(QUEUE);
    let waiting = Arc::new(Mutex::new(Waiting::default()));
    let lost = CancellationToken::new();
    tokio::spawn(write(writer, outgoing, Arc::clone(&waiting), lost.clone()));
    tokio::spawn(read(reader, Arc::clone(&waiting), lost.clone(), cancel.clone()));
    Ok(Some((Arc::new(Control { queue, number: AsyncMutex::new(0), waiting, lost, descriptors }), start)))
}

impl Control {
    /// Fires when the worker is gone.
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Sends a numbered message and waits for its commit.
    pub async fn commit(&self, message: impl FnOnce(u64) -> FromSidecar + Send) -> Result<(), PortLost> {
        let (done, committed) = oneshot::channel();
        self.send_numbered(message, |waiting, number| drop(waiting.committed.insert(number, done))).await?;
        committed.await.map_err(|_| gone())
    }

    /// Asks for the sandbox and takes its sockets. The error text is the worker's, for the user.
    pub async fn start_sandbox(&self) -> Result<SandboxSockets, String> {
        let (done, started) = oneshot::channel();
        self.lock().sandbox = Some(done);
        self.send(FromSidecar::StartSandbox).await.map_err(|lost| lost.0)?;
        started.await.map_err(|_| gone().0)??;
        descriptors::receive(&self.descriptors).await.map_err(|error| format!("its sockets did not arrive: {error}"))
    }

    /// Sends the outcome and waits until it is written.
    pub async fn end(&self, outcome: Outcome) -> Result<(), PortLost> {
        self.send(FromSidecar::Ended(Box::new(outcome))).await?;
        let (done, written) = oneshot::channel();
        self.queue.send(Outgoing::Flush(done)).await.map_err(|_| gone())?;
        written.await.map_err(|_| gone())
    }

    async fn send(&self, message: FromSidecar) -> Result<(), PortLost> {
        self.queue.send(Outgoing::Frame(Box::new(message))).await.map_err(|_| gone())
    }

    async fn send_numbered(
        &self,
        message: impl FnOnce(u64) -> FromSidecar + Send,
        register: impl FnOnce(&mut Waiting, u64) + Send,
    ) -> Result<(), PortLost> {
        let mut next = self.number.lock().await;
        let place = self.queue.reserve().await.map_err(|_| gone())?;
        *next += 1;
        {
            let mut waiting = self.lock();
            if waiting.lost {
                return Err(gone());
            }
            register(&mut waiting, *next);
        }
        place.send(Outgoing::Frame(Box::new(message(*next))));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no panic while held")
    }
}

#[async_trait]
impl Journal for Control {
    async fn commit(&self, event: RunEvent) -> Result<(), PortLost> {
        Self::commit(self, |number| FromSidecar::Event { number, event }).await
    }

    fn delta(&self, text: &str) {
        // Display only: when the worker reads too slowly, the reader of the stream misses text and reads it in `turn.completed`.
        if let Err(error) = self.queue.try_send(Outgoing::Frame(Box::new(FromSidecar::Delta { text: text.to_owned() }))) {
            tracing::trace!(%error, "dropped a piece of display text");
        }
    }
}

#[async_trait]
impl RunHistory for Control {
    async fn history(&self, limit: u32, fields: Vec<String>) -> Result<Vec<Value>, PortLost> {
        let (done, runs) = oneshot::channel();
        let message = |number| FromSidecar::History { number, limit, fields };
        self.send_numbered(message, |waiting, number| drop(waiting.history.insert(number, done))).await?;
        runs.await.map_err(|_| gone())
    }
}

fn gone() -> PortLost {
    PortLost("the worker is gone".to_owned())
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Outgoing>, waiting: Arc<Mutex<Waiting>>, lost: CancellationToken) {
    loop {
        let next = tokio::select! {
            next = queue.recv() => next,
            () = lost.cancelled() => return,
        };
        let outcome = match next {
            None => return,
            Some(Outgoing::Flush(done)) => {
                // Whoever asked may have given up.
                done.send(()).ok();
                Ok(())
            }
            Some(Outgoing::Frame(message)) => send_frame(&mut writer, &message, &waiting).await,
        };
        if let Err(error) = outcome {
            // Before anything is logged: the log goes to the worker too, and it may be gone.
            give_up(&waiting, &lost);
            tracing::warn!(%error, "could not write to the worker");
            return;
        }
    }
}

async fn send_frame(writer: &mut OwnedWriteHalf, message: &FromSidecar, waiting: &Mutex<Waiting>) -> io::Result<()> {
    match frame::send(writer, message).await {
        // Too large to send: nothing was written, the sender learns that it will not be committed.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            tracing::error!(%error, "could not send a message to the worker");
            if let FromSidecar::Event { number, .. } = message {
                waiting.lock().expect("no panic while held").committed.remove(number);
            }
            Ok(())
        }
        other => other,
    }
}

async fn read(mut reader: OwnedReadHalf, waiting: Arc<Mutex<Waiting>>, lost: CancellationToken, cancel: Cancel) {
    loop {
        let message = tokio::select! {
            message = frame::receive::<ToSidecar>(&mut reader) => message,
            () = lost.cancelled() => return,
        };
        match message {
            Ok(Some(message)) => deliver(message, &mut waiting.lock().expect("no panic while held"), &cancel),
            Ok(None) => {
                give_up(&waiting, &lost);
                return;
            }
            Err(error) => {
                give_up(&waiting, &lost);
                tracing::warn!(%error, "could not read from the worker");
                return;
            }
        }
    }
}

fn deliver(message: ToSidecar, waiting: &mut Waiting, cancel: &Cancel) {
    // A receiver that has given up is no error: its call was cancelled.
    match message {
        ToSidecar::Committed { number } => drop(waiting.committed.remove(&number).map(|done| done.send(()))),
        ToSidecar::History { number, runs } => drop(waiting.history.remove(&number).map(|done| done.send(runs))),
        ToSidecar::SandboxStarted { .. } => drop(waiting.sandbox.take().map(|done| done.send(Ok(())))),
        ToSidecar::SandboxFailed { message } => drop(waiting.sandbox.take().map(|done| done.send(Err(message)))),
        ToSidecar::Cancel { failure } => cancel.request(failure),
        ToSidecar::Start(_) => tracing::warn!("the worker sent a second start"),
    }
}

fn give_up(waiting: &Mutex<Waiting>, lost: &CancellationToken) {
    // Dropping the senders wakes everyone who waits.
    *waiting.lock().expect("no panic while held") = Waiting { lost: true, ..Waiting::default() };
    lost.cancel();
}

/// Bounds the whole start of a sandbox, so that a silent worker does not hold a tool call for ever.
pub async fn within_start<T>(start: impl Future<Output = Result<T, String>> + Send) -> Result<T, String> {
    let late = || Err(format!("it was not ready within {} seconds", limits::SANDBOX_START.as_secs()));
    tokio::time::timeout(limits::SANDBOX_START, start).await.unwrap_or_else(|_| late())
}
