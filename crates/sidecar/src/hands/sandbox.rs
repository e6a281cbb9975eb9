//! The sandbox of a run: started once, at the first call that needs it, then shared.

use std::sync::{Arc, Mutex, OnceLock};

use agent::{HandsLost, Journal};
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::hands::File;
use wire::run_event::{LogLevel, RunEvent};
use wire::run_spec::RunSpec;

use super::bound;
use super::client::{HandsClient, Line};
use super::setup;
use crate::control::{Control, within_start};
use crate::forward::Forwarder;
use crate::http_io;
use crate::proxy::{Proxy, server};
use crate::run_history::RunHistory;

type Starting = Shared<BoxFuture<'static, Result<Arc<HandsClient>, HandsLost>>>;

/// The sandbox, started or not. Cloning shares it.
#[derive(Clone)]
pub struct Sandbox {
    parts: Arc<Parts>,
    starting: Arc<OnceLock<Starting>>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("asked_for", &self.starting.get().is_some()).finish_non_exhaustive()
    }
}

/// What a sandbox is started with.
pub struct Parts {
    pub control: Arc<Control>,
    pub spec: Arc<RunSpec>,
    /// Taken by the start.
    pub files: Mutex<Vec<File>>,
    pub proxy: Proxy,
    pub forwarder: Forwarder,
    /// Ends the listeners.
    pub stop: CancellationToken,
}

impl Sandbox {
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), starting: Arc::default() }
    }

    /// The tool host; starts the sandbox if nobody has. Callers that give up do not stop the start for others.
    pub async fn hands(&self) -> Result<Arc<HandsClient>, HandsLost> {
        let start = || {
            let task = tokio::spawn(start(Arc::clone(&self.parts)));
            let joined = task.map(|outcome| match outcome {
                Ok(Ok(client)) => Ok(Arc::new(client)),
                Ok(Err(message)) => Err(HandsLost(format!("the sandbox could not be started: {message}"))),
                Err(error) => Err(HandsLost(format!("the sandbox could not be started: {error}"))),
            });
            joined.boxed().shared()
        };
        self.starting.get_or_init(start).clone().await
    }
}

async fn start(parts: Arc<Parts>) -> Result<HandsClient, String> {
    // The worker records the start itself: it knows the rung and the time.
    let sockets = within_start(parts.control.start_sandbox()).await?;
    let (proxy, history) = (parts.proxy.clone(), Arc::clone(&parts.control) as Arc<dyn RunHistory>);
    tokio::spawn(http_io::serve(sockets.proxy, parts.stop.clone(), move |request| {
        server::answer(proxy.clone(), Arc::clone(&history), request)
    }));
    let forwarder = parts.forwarder.clone();
    tokio::spawn(http_io::serve(sockets.forward, parts.stop.clone(), move |request| {
        let forwarder = forwarder.clone();
        async move { forwarder.answer(request).await }
    }));

    let (lines, shown) = mpsc::channel(64);
    tokio::spawn(show(shown, Arc::clone(&parts.control)));
    let files = std::mem::take(&mut *parts.files.lock().expect("no panic while held"));
    let beginning = setup::build(&parts.spec, files, &parts.proxy.catalog().names());
    let client = within_start(HandsClient::begin(sockets.tools, beginning, lines)).await?;
    for (package, message) in client.load_failures() {
        let message = format!("the tool package {package} could not be loaded: {message}");
        record(&parts.control, RunEvent::Log { level: LogLevel::Error, message, data: None }).await?;
    }
    Ok(client)
}

async fn record(control: &Control, event: RunEvent) -> Result<(), String> {
    Journal::commit(control, event).await.map_err(|lost| lost.0)
}

/// Turns lines of tools into log events, up to a bound.
async fn show(mut lines: mpsc::Receiver<Line>, control: Arc<Control>) {
    let mut shown = 0;
    while let Some(Line { tool, text }) = lines.recv().await {
        shown += 1;
        let message = match shown {
            ..bound::LINES => format!("[{tool}] {text}"),
            bound::LINES => "tools wrote more lines, which are not shown".to_owned(),
            _ => continue,
        };
        if let Err(error) = record(&control, RunEvent::Log { level: LogLevel::Debug, message, data: None }).await {
            tracing::debug!(error, "could not record a line of a tool");
            return;
        }
    }
}
