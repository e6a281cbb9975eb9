//! A whole run against a scripted worker, model, provider and tool host.

use std::io::IoSlice;
use std::os::fd::AsRawFd as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use domain::{AppId, ConnectionId, NanoUsd, OrgId, RandomIds, RunId, Secret};
use http::Response;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use serde_json::{Value, json};
use tokio::net::UnixStream;
use wire::control::{Credentials, FromSidecar, Outcome, Start, ToSidecar};
use wire::frame;
use wire::hands::{Call, FromHands, ToHands, ToolOutcome};
use wire::run_event::{Failure, FailureCode, RunEvent};
use wire::run_spec::{Egress, ModelProtocol, ModelSpec, Price, Prompt, ProviderSpec, RunLimits, RunSpec, ToolCarrier, ToolSpec};

use crate::upstream::{ConnectProxy, Upstream, ok, with_type};
use crate::world::SECRET;

/// One answer of the model in OpenAI's streaming protocol.
fn stream(chunks: &[Value]) -> Response<net::Body> {
    let text = chunks.iter().fold(String::new(), |text, chunk| text + "data: " + &chunk.to_string() + "\n\n");
    with_type("text/event-stream", text + "data: [DONE]\n\n")
}

fn says(delta: &Value, finish: &str) -> Response<net::Body> {
    stream(&[
        json!({ "id": "c", "choices": [{ "index": 0, "delta": delta }] }),
        json!({ "id": "c", "choices": [{ "index": 0, "delta": {}, "finish_reason": finish }] }),
        json!({ "id": "c", "choices": [], "usage": { "prompt_tokens": 100, "completion_tokens": 10 } }),
    ])
}

fn calls(name: &str, arguments: &Value) -> Response<net::Body> {
    let call = json!({ "index": 0, "id": format!("call_{name}"), "type": "function", "function": { "name": name, "arguments": arguments.to_string() } });
    says(&json!({ "role": "assistant", "tool_calls": [call] }), "tool_calls")
}

fn tool(name: &str, carrier: ToolCarrier) -> ToolSpec {
    ToolSpec { name: name.to_owned(), description: name.to_owned(), parameters: json!({ "type": "object" }), carrier }
}

fn spec(model: &Upstream, provider: &Upstream) -> RunSpec {
    RunSpec {
        run: RunId::new(&RandomIds),
        org: OrgId::new(&RandomIds),
        app: AppId::new(&RandomIds),
        end_user: None,
        agent: "@acme/agent".parse().expect("name"),
        version: None,
        prompt: Prompt { system: "You test.".to_owned(), user: "Go.".to_owned() },
        model: ModelSpec {
            id: None,
            label: "scripted".to_owned(),
            protocol: ModelProtocol::OpenAiCompletions,
            base_url: model.url("/v1").parse().expect("url"),
            model: "scripted".to_owned(),
            context_window: 100_000,
            max_output_tokens: 1_000,
            reasoning: false,
            accepts_images: false,
            price: Some(Price { input: 1.0, output: 2.0, ..Price::default() }),
        },
        tools: vec![
            tool("provider_call", ToolCarrier::Sidecar),
            tool("bash", ToolCarrier::Host),
            tool("run_history", ToolCarrier::Sidecar),
        ],
        providers: vec![ProviderSpec {
            id: "@acme/shop".parse().expect("name"),
            display_name: "Shop".to_owned(),
            connection: ConnectionId::new(&RandomIds),
            auth_mode: "api_key".to_owned(),
            authorized_uris: vec![provider.url("/*")],
            allow_all_uris: false,
            header_name: Some("X-Api-Key".to_owned()),
            header_prefix: None,
            header_field: Some("api_key".to_owned()),
            template_fields: Vec::new(),
            own_origin: None,
        }],
        packages: Vec::new(),
        output_schema: None,
        memories: Vec::new(),
        egress: Egress::Public,
        proxy: None,
        limits: RunLimits::default(),
    }
}

/// What the worker heard.
#[derive(Debug, Default)]
struct Heard {
    messages: Vec<FromSidecar>,
    outcome: Option<Outcome>,
}

impl Heard {
    fn events(&self) -> Vec<&RunEvent> {
        self.messages.iter().filter_map(|message| if let FromSidecar::Event { event, .. } = message { Some(event) } else { None }).collect()
    }

    fn names(&self) -> Vec<&'static str> {
        self.events().into_iter().map(RunEvent::name).collect()
    }
}

/// A worker: hands over the run, commits everything, starts "sandboxes".
struct Worker {
    control: UnixStream,
    descriptors: std::os::unix::net::UnixStream,
    /// `None`: sandboxes fail to start.
    hands: Option<Box<dyn Fn(UnixStream) + Send>>,
    /// Sent when this event has been committed.
    cancel_after: Option<&'static str>,
    heard: Arc<Mutex<Heard>>,
}

impl Worker {
    async fn serve(mut self, start: Start) {
        let ready: Option<FromSidecar> = frame::receive(&mut self.control).await.expect("a frame");
        assert_eq!(ready, Some(FromSidecar::Ready));
        self.say(&ToSidecar::Start(Box::new(start))).await;
        let mut last = 0;
        while let Some(message) = frame::receive::<FromSidecar>(&mut self.control).await.expect("a frame") {
            self.heard.lock().expect("log").messages.push(message.clone());
            match message {
                FromSidecar::Event { number, .. } | FromSidecar::LedgerOpen { number, .. } | FromSidecar::LedgerSettle { number, .. } => {
                    assert_eq!(number, last + 1, "numbers have no gap");
                    last = number;
                    self.say(&ToSidecar::Committed { number }).await;
                    if let FromSidecar::Event { event, .. } = &message
                        && self.cancel_after == Some(event.name())
                    {
                        self.cancel_after = None;
                        self.say(&ToSidecar::Cancel { failure: Failure::new(FailureCode::Cancelled, "stopped by the test") }).await;
                    }
                }
                FromSidecar::History { number, limit, .. } => {
                    last = number;
                    self.say(&ToSidecar::History { number, runs: vec![json!({ "limit": limit })] }).await;
                }
                FromSidecar::StartSandbox => self.start_sandbox().await,
                FromSidecar::Ended(outcome) => self.heard.lock().expect("log").outcome = Some(*outcome),
                FromSidecar::Delta { .. } | FromSidecar::Ready => {}
            }
        }
    }

    async fn start_sandbox(&mut self) {
        let Some(hands) = &self.hands else {
            return self.say(&ToSidecar::SandboxFailed { message: "the kernel refuses user namespaces".to_owned() }).await;
        };
        let (near, far) = std::os::unix::net::UnixStream::pair().expect("a pair");
        far.set_nonblocking(true).expect("sets");
        hands(UnixStream::from_std(far).expect("a socket"));
        let proxy = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
        let forward = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
        let numbers = [near.as_raw_fd(), proxy.as_raw_fd(), forward.as_raw_fd()];
        sendmsg::<()>(self.descriptors.as_raw_fd(), &[IoSlice::new(b"3")], &[ControlMessage::ScmRights(&numbers)], MsgFlags::empty(), None)
            .expect("sends");
        self.say(&ToSidecar::SandboxStarted { rung: "test".to_owned(), duration_ms: 5 }).await;
    }

    async fn say(&mut self, message: &ToSidecar) {
        frame::send(&mut self.control, message).await.expect("sends");
    }
}

/// A tool host that answers `bash` with the environment's value of `arguments.name`.
fn obedient(socket: UnixStream) {
    tokio::spawn(async move {
        let (mut reader, mut writer) = socket.into_split();
        let Some(ToHands::Setup(setup)) = frame::receive(&mut reader).await.expect("a frame") else { panic!("setup comes first") };
        frame::send(&mut writer, &FromHands::Ready { tools: Vec::new(), failures: Vec::new() }).await.expect("sends");
        while let Some(message) = frame::receive::<ToHands>(&mut reader).await.expect("a frame") {
            let ToHands::Call(Call { call, arguments, .. }) = message else { continue };
            let name = arguments["name"].as_str().expect("a name");
            let value = setup.environment.get(name).cloned().unwrap_or_default();
            frame::send(&mut writer, &FromHands::Done { call, outcome: ToolOutcome::text(value) }).await.expect("sends");
        }
    });
}

/// A tool host that dies at the first call.
fn mortal(socket: UnixStream) {
    tokio::spawn(async move {
        let (mut reader, mut writer) = socket.into_split();
        frame::receive::<ToHands>(&mut reader).await.expect("a frame");
        frame::send(&mut writer, &FromHands::Ready { tools: Vec::new(), failures: Vec::new() }).await.expect("sends");
        frame::receive::<ToHands>(&mut reader).await.expect("a frame");
    });
}

struct Scene {
    model: Upstream,
    provider: Upstream,
    hands: Option<Box<dyn Fn(UnixStream) + Send>>,
    cancel_after: Option<&'static str>,
    proxy_url: Option<Secret>,
}

async fn play(scene: &mut Scene) -> (Outcome, Arc<Mutex<Heard>>) {
    let (control, near) = UnixStream::pair().expect("a pair");
    let (descriptors, passed) = std::os::unix::net::UnixStream::pair().expect("a pair");
    passed.set_nonblocking(true).expect("sets");
    let heard = Arc::new(Mutex::new(Heard::default()));
    let worker = Worker { control, descriptors, hands: scene.hands.take(), cancel_after: scene.cancel_after, heard: Arc::clone(&heard) };
    let start = Start {
        spec: spec(&scene.model, &scene.provider),
        files: Vec::new(),
        model_key: Some(Secret::from("mk-canary-model-key")),
        credentials: vec![Credentials {
            provider: "@acme/shop".parse().expect("name"),
            fields: [("api_key".to_owned(), Secret::from(SECRET))].into(),
        }],
        proxy_url: scene.proxy_url.clone(),
        outbound_allow: format!("models={},providers={},proxies=127.0.0.1", scene.model.address, scene.provider.address),
        deadline_ms: 60_000,
    };
    let sidecar = async {
        let code = sidecar::run(near, UnixStream::from_std(passed).expect("a socket")).await;
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    };
    tokio::join!(worker.serve(start), sidecar);
    let outcome = heard.lock().expect("log").outcome.clone().expect("an end");
    (outcome, heard)
}

type Turn = Box<dyn Fn() -> Response<net::Body> + Send + Sync>;

/// A model that plays the turns in order, and then the last one again.
async fn scripted(turns: Vec<Turn>) -> Upstream {
    let next = AtomicUsize::new(0);
    Upstream::start(move |_| turns[next.fetch_add(1, Ordering::Relaxed).min(turns.len() - 1)]()).await
}

/// A model that calls `bash` for ever.
async fn shell_user() -> Upstream {
    scripted(vec![Box::new(|| calls("bash", &json!({ "name": "HOME" })))]).await
}

#[tokio::test]
async fn a_run_goes_from_start_to_end() {
    let provider = Upstream::start(|seen| ok(format!("key was {}", seen.header("x-api-key")))).await;
    let orders = provider.url("/orders");
    let model = scripted(vec![
        Box::new(move || calls("provider_call", &json!({ "provider": "@acme/shop", "url": orders }))),
        Box::new(|| calls("bash", &json!({ "name": "CONNECTED_PROVIDERS" }))),
        Box::new(|| calls("run_history", &json!({ "limit": 2 }))),
        Box::new(|| says(&json!({ "role": "assistant", "content": "done" }), "stop")),
    ])
    .await;
    let mut scene = Scene { model, provider, hands: Some(Box::new(obedient)), cancel_after: None, proxy_url: None };
    let (outcome, heard) = play(&mut scene).await;
    assert_eq!(outcome.failure, None, "{heard:?}");
    let heard = heard.lock().expect("log");
    assert!(!format!("{heard:?}").contains("canary"), "no secret leaves: {heard:?}");
    let names = heard.names();
    assert!(names.contains(&"provider.called"), "{names:?}");
    assert!(!names.contains(&"sandbox.started"), "the worker writes that: {names:?}");
    let results: String = scene.model.seen().last().map(|seen| String::from_utf8_lossy(&seen.body).into_owned()).expect("a request");
    assert!(results.contains("key was [redacted]") && results.contains("@acme/shop") && results.contains("\\\"limit\\\":2"), "{results}");
    assert_eq!(scene.model.seen()[0].header("authorization"), "Bearer mk-canary-model-key");
    assert_eq!(scene.provider.seen()[0].header("x-api-key"), SECRET);
    let opened = heard.messages.iter().filter(|message| matches!(message, FromSidecar::LedgerOpen { .. })).count();
    let settled: Vec<NanoUsd> = heard
        .messages
        .iter()
        .filter_map(|message| if let FromSidecar::LedgerSettle { cost, .. } = message { Some(*cost) } else { None })
        .collect();
    assert_eq!((opened, settled.len()), (4, 4));
    assert_eq!(settled.into_iter().sum::<NanoUsd>(), outcome.cost);
    assert_eq!(outcome.cost, NanoUsd(4 * (100 * 1_000 + 10 * 2_000)));
}

#[tokio::test]
async fn provider_calls_go_through_the_runs_proxy_and_model_calls_do_not() {
    let provider = Upstream::start(|_| ok("an order")).await;
    let orders = provider.url("/orders");
    let model = scripted(vec![
        Box::new(move || calls("provider_call", &json!({ "provider": "@acme/shop", "url": orders }))),
        Box::new(|| says(&json!({ "role": "assistant", "content": "done" }), "stop")),
    ])
    .await;
    let exit = ConnectProxy::start().await;
    let provider_address = provider.address.to_string();
    let proxy_url = Some(Secret::new(exit.url()));
    let mut scene = Scene { model, provider, hands: Some(Box::new(obedient)), cancel_after: None, proxy_url };
    let (outcome, heard) = play(&mut scene).await;
    assert_eq!(outcome.failure, None, "{heard:?}");
    assert_eq!(exit.asked(), [provider_address]);
    assert_eq!(scene.provider.seen()[0].header("x-api-key"), SECRET);
    assert_eq!(scene.model.seen().len(), 2);
    assert!(!format!("{:?}", heard.lock().expect("log")).contains("canary"), "no secret leaves");
}

#[tokio::test]
async fn a_proxy_that_refuses_fails_the_call_and_is_never_left_aside() {
    let provider = Upstream::start(|_| ok("an order")).await;
    let orders = provider.url("/orders");
    let model = scripted(vec![
        Box::new(move || calls("provider_call", &json!({ "provider": "@acme/shop", "url": orders }))),
        Box::new(|| says(&json!({ "role": "assistant", "content": "done" }), "stop")),
    ])
    .await;
    let exit = ConnectProxy::start().await;
    let proxy_url = Some(Secret::new(exit.url().replace("canary", "wrong")));
    let mut scene = Scene { model, provider, hands: Some(Box::new(obedient)), cancel_after: None, proxy_url };
    let (outcome, heard) = play(&mut scene).await;
    assert_eq!(outcome.failure, None, "{heard:?}");
    let told: String = scene.model.seen().last().map(|seen| String::from_utf8_lossy(&seen.body).into_owned()).expect("a request");
    assert!(told.contains("the outbound proxy wants other credentials"), "{told}");
    assert!(scene.provider.seen().is_empty());
    assert_eq!(exit.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_sandbox_that_does_not_start_ends_the_run_with_the_reason() {
    let model = shell_user().await;
    let provider = Upstream::start(|_| ok("")).await;
    let (outcome, _) = play(&mut Scene { model, provider, hands: None, cancel_after: None, proxy_url: None }).await;
    let failure = outcome.failure.expect("a failure");
    assert_eq!(failure.code, FailureCode::SandboxFailed);
    assert!(failure.message.contains("the kernel refuses user namespaces"), "{}", failure.message);
}

#[tokio::test]
async fn a_tool_host_that_dies_fails_its_call_and_then_the_run() {
    let model = shell_user().await;
    let provider = Upstream::start(|_| ok("")).await;
    let (outcome, heard) = play(&mut Scene { model, provider, hands: Some(Box::new(mortal)), cancel_after: None, proxy_url: None }).await;
    assert_eq!(outcome.failure.expect("a failure").code, FailureCode::SandboxFailed);
    let heard = heard.lock().expect("log");
    let died = heard.events().iter().any(|event| matches!(event, RunEvent::ToolCompleted { outcome, .. } if outcome.is_error));
    assert!(died, "{:?}", heard.names());
}

#[tokio::test]
async fn a_cancelled_run_ends_soon_and_keeps_its_ledger_closed() {
    let model = shell_user().await;
    let provider = Upstream::start(|_| ok("")).await;
    // A host that never answers a call.
    let deaf = |socket: UnixStream| {
        tokio::spawn(async move {
            let (mut reader, mut writer) = socket.into_split();
            while let Some(message) = frame::receive::<ToHands>(&mut reader).await.expect("a frame") {
                match message {
                    ToHands::Setup(_) => {
                        frame::send(&mut writer, &FromHands::Ready { tools: Vec::new(), failures: Vec::new() }).await.expect("sends");
                    }
                    ToHands::Cancel { call } => {
                        frame::send(&mut writer, &FromHands::Done { call, outcome: ToolOutcome::error("stopped") }).await.expect("sends");
                    }
                    _ => {}
                }
            }
        });
    };
    let (outcome, heard) =
        play(&mut Scene { model, provider, hands: Some(Box::new(deaf)), cancel_after: Some("tool.started"), proxy_url: None }).await;
    assert_eq!(outcome.failure.expect("a failure").code, FailureCode::Cancelled);
    let heard = heard.lock().expect("log");
    let count = |test: fn(&FromSidecar) -> bool| heard.messages.iter().filter(|message| test(message)).count();
    assert_eq!(
        count(|message| matches!(message, FromSidecar::LedgerOpen { .. })),
        count(|message| matches!(message, FromSidecar::LedgerSettle { .. }))
    );
}

#[tokio::test]
async fn a_worker_that_goes_away_ends_the_process() {
    let (control, near) = UnixStream::pair().expect("a pair");
    let (_descriptors, passed) = UnixStream::pair().expect("a pair");
    drop(control);
    let before_start = sidecar::run(near, passed).await;
    // Closed before a run came: either the greeting could not be sent, or the end was clean. Both end the process at once.
    assert!([ExitCode::SUCCESS, ExitCode::FAILURE].iter().any(|code| format!("{code:?}") == format!("{before_start:?}")));

    let model = Upstream::start(|_| crate::upstream::endless("text/event-stream", 1)).await;
    let provider = Upstream::start(|_| ok("")).await;
    let (mut control, near) = UnixStream::pair().expect("a pair");
    let (_descriptors, passed) = UnixStream::pair().expect("a pair");
    let start = Start {
        spec: spec(&model, &provider),
        files: Vec::new(),
        model_key: None,
        credentials: Vec::new(),
        proxy_url: None,
        outbound_allow: String::new(),
        deadline_ms: 60_000,
    };
    let worker = async move {
        let ready: Option<FromSidecar> = frame::receive(&mut control).await.expect("a frame");
        assert_eq!(ready, Some(FromSidecar::Ready));
        frame::send(&mut control, &ToSidecar::Start(Box::new(start))).await.expect("sends");
        // The first ledger row is never committed.
        let first: Option<FromSidecar> = frame::receive(&mut control).await.expect("a frame");
        assert!(matches!(first, Some(FromSidecar::LedgerOpen { .. })), "{first:?}");
        drop(control);
    };
    let (code, ()) = tokio::join!(sidecar::run(near, passed), worker);
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
    assert!(model.seen().is_empty(), "no model call without its ledger row");
}
