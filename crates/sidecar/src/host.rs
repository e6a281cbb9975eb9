//! Hosting one run: the parts are put together, the loop runs, the end is reported.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::{Cancel, Ports, TokioTimer};
use domain::{Clock, RandomIds, Secret, SystemClock};
use net::{Client, Options, OutboundAllow, OutboundProxy};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;
use wire::control::{Outcome, Start};
use wire::run_event::{Failure, FailureCode, LogLevel, RunEvent};

use crate::control::{self, Control};
use crate::forward::Forwarder;
use crate::hands::sandbox::Parts;
use crate::hands::{RunHands, Sandbox};
use crate::meter::Meter;
use crate::model;
use crate::proxy::{Catalog, Proxy, ProxyParts};
use crate::recorder::Recorder;
use crate::transport::ModelTransport;

/// Serves one run from the connection's first word to its last.
pub async fn run(control: UnixStream, descriptors: UnixStream) -> io::Result<()> {
    let cancel = Cancel::new();
    let Some((control, start)) = control::open(control, descriptors, &cancel).await? else { return Ok(()) };
    let outcome = tokio::select! {
        outcome = carry_out(Arc::clone(&control), *start, cancel) => outcome,
        // Without the worker nothing can be recorded, so nothing more may be done.
        () = control.lost().cancelled() => return Err(io::ErrorKind::ConnectionAborted.into()),
    };
    control.end(outcome).await.map_err(io::Error::other)
}

async fn carry_out(control: Arc<Control>, start: Start, cancel: Cancel) -> Outcome {
    match prepare(&control, start).await {
        Ok(prepared) => prepared.run(&cancel).await,
        Err(message) => Outcome { failure: Some(Failure::new(FailureCode::PreparationFailed, message)), ..Outcome::default() },
    }
}

/// A run that is ready to go.
struct Prepared {
    control: Arc<Control>,
    spec: Arc<wire::run_spec::RunSpec>,
    model: Box<dyn agent::Model>,
    hands: RunHands,
    meter: Meter,
    recorder: Recorder,
    recording: crate::recorder::Recording,
    stop: CancellationToken,
    timer: TokioTimer,
    time_left: Duration,
}

async fn prepare(control: &Arc<Control>, start: Start) -> Result<Prepared, String> {
    let Start { spec, files, model_key, credentials, proxy_url, outbound_allow, deadline_ms } = start;
    let spec = Arc::new(spec);
    let allow = OutboundAllow::parse(&outbound_allow).map_err(|error| format!("OUTBOUND_ALLOW cannot be used: {error}"))?;
    let client = Client::new(Options::new(allow)).map_err(|error| format!("the outbound client could not be built: {error}"))?;
    let calls = behind(&client, proxy_url.as_ref())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (recorder, recording) = Recorder::start(Arc::clone(control) as Arc<dyn agent::Journal>);

    let stop = CancellationToken::new();
    let (catalog, mut complaints) = Catalog::new(&spec.providers, credentials);
    let catalog = Arc::new(catalog);
    let (forwarder, more) = Forwarder::new(calls.clone(), &spec.egress, Arc::clone(&catalog), recorder.clone(), stop.clone());
    complaints.extend(more);
    for message in complaints {
        control.log(message).await.map_err(|lost| lost.0)?;
    }
    let proxy = Proxy::new(ProxyParts { catalog, client: calls, recorder: recorder.clone(), clock });
    let sandbox = Sandbox::new(Parts {
        control: Arc::clone(control),
        spec: Arc::clone(&spec),
        files: Mutex::new(files),
        proxy: proxy.clone(),
        forwarder,
        stop: stop.clone(),
    });
    let timer = TokioTimer::start();
    let model = model::client(&spec.model, model_key, Arc::new(ModelTransport(client)), Arc::new(timer));
    Ok(Prepared {
        control: Arc::clone(control),
        model,
        hands: RunHands { sandbox, proxy, history: Arc::clone(control) as Arc<dyn crate::run_history::RunHistory> },
        meter: Meter::new(Arc::clone(control)),
        recorder,
        recording,
        stop,
        timer,
        time_left: Duration::from_millis(deadline_ms),
        spec,
    })
}

/// The client of provider calls and of the agent's own HTTP, through the run's outbound proxy if it has one. Models are called
/// directly: a proxy in front of a vendor's stream would add its own limits to every turn, and nothing of the agent's leaves there.
fn behind(client: &Client, proxy_url: Option<&Secret>) -> Result<Client, String> {
    let Some(url) = proxy_url else { return Ok(client.clone()) };
    let proxy = OutboundProxy::parse(url.expose()).map_err(|error| format!("the outbound proxy's address cannot be used: it {error}"))?;
    Ok(client.through(proxy))
}

impl Prepared {
    async fn run(self, cancel: &Cancel) -> Outcome {
        let ports = Ports {
            model: self.model.as_ref(),
            hands: &self.hands,
            journal: self.control.as_ref(),
            ledger: &self.meter,
            timer: &self.timer,
            ids: &RandomIds,
        };
        let mut outcome = agent::run(&self.spec, self.time_left, &ports, cancel).await;
        match self.meter.close().await {
            Ok(left) => outcome.cost += left,
            Err(lost) => tracing::warn!(error = %lost, "could not settle open ledger rows"),
        }
        // The listeners end first, so that no new call begins while the record drains.
        self.stop.cancel();
        self.recorder.drain().await;
        self.recording.stop();
        outcome
    }
}

impl Control {
    /// A notice of the platform in the run's log.
    async fn log(&self, message: String) -> Result<(), agent::PortLost> {
        agent::Journal::commit(self, RunEvent::Log { level: LogLevel::Warn, message, data: None }).await
    }
}
