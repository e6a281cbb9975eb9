//! A run on scripted parts: every port answers as a test says and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use domain::mock::SeededIds;
use domain::{AppId, IdSource as _, NanoUsd, OrgId, RunId};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wire::hands::ToolOutcome;
use wire::message::Usage;
use wire::run_spec::{Egress, ModelProtocol, ModelSpec, Price, Prompt, RunLimits, ToolCarrier};

use super::super::*;
use crate::model::{DeltaSink, Model, ModelError, ModelErrorKind, Turn};
use crate::port::{HandCall, Hands, HandsLost, Journal, Ledger, Settlement, Timer as _, TokioTimer};
use crate::tools::{DeclaredTool, ToolInput, tool_specs};

/// What the model does in one call.
pub(super) enum Step {
    Reply(Turn),
    Fail(ModelError),
    /// Says a part and then nothing more.
    Hang(&'static str),
}

/// What the hands do with a call of a tool.
#[derive(Clone, Copy)]
pub(super) enum Act {
    Answer(&'static str),
    /// Answers with its number among all calls, so that no two results are the same.
    Count,
    /// Answers with so many bytes.
    Long(usize),
    /// Answers after so many milliseconds.
    After(u64),
    /// Ends only when it is cancelled.
    UntilCancelled,
    /// Never ends.
    Deaf,
    Lost,
}

/// A request as the model saw it.
pub(super) struct Seen {
    pub(super) messages: Vec<Message>,
    pub(super) has_tools: bool,
    pub(super) max_output_tokens: u64,
}

pub(super) struct World {
    pub(super) spec: RunSpec,
    pub(super) cancel: Cancel,
    pub(super) acts: HashMap<&'static str, Act>,
    pub(super) time: Duration,
    pub(super) journal_lives_for: usize,
    /// Cancels the run when a tool of this name starts.
    pub(super) cancel_at_start_of: Option<&'static str>,
    steps: Mutex<VecDeque<Step>>,
    timer: TokioTimer,
    pub(super) requests: Mutex<Vec<Seen>>,
    pub(super) events: Mutex<Vec<RunEvent>>,
    pub(super) deltas: Mutex<String>,
    pub(super) opened: Mutex<Vec<(u64, NanoUsd)>>,
    pub(super) settled: Mutex<Vec<(u64, Settlement)>>,
    /// What the hands did, in order: `start bash 1`, `end bash 1`.
    pub(super) work: Mutex<Vec<String>>,
}

impl World {
    /// An agent with all own tools and one package tool, `refund`, that takes a number.
    pub(super) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::with_schema(None, steps)
    }

    pub(super) fn with_schema(output_schema: Option<Value>, steps: impl IntoIterator<Item = Step>) -> Self {
        let declared: Vec<_> = [
            ("@appstrate/output", "output"),
            ("@appstrate/report", "report"),
            ("@appstrate/log", "log"),
            ("@appstrate/set-state", "set_state"),
            ("@appstrate/add-memory", "add_memory"),
            ("@acme/refund", "refund"),
        ]
        .into_iter()
        .map(|(package, name)| DeclaredTool {
            package: package.parse().expect("name"),
            name: name.to_owned(),
            description: String::new(),
            parameters: json!({"type": "object", "properties": {"order": {"type": "integer"}}}),
            directory: String::new(),
            entrypoint: String::new(),
        })
        .collect();
        let tools = tool_specs(&ToolInput { output_schema: output_schema.as_ref(), declared: &declared, has_providers: true })
            .expect("no conflict");
        let ids = SeededIds::new(7);
        let spec = RunSpec {
            run: RunId::new(&ids),
            org: OrgId::new(&ids),
            app: AppId::from_uuid(ids.uuid()),
            end_user: None,
            agent: "@acme/agent".parse().expect("name"),
            version: None,
            prompt: Prompt { system: "system".to_owned(), user: "begin".to_owned() },
            model: ModelSpec {
                id: None,
                label: "Scripted".to_owned(),
                protocol: ModelProtocol::OpenAiCompletions,
                base_url: "http://model.invalid/v1".parse().expect("url"),
                model: "scripted".to_owned(),
                context_window: 100_000,
                max_output_tokens: 4_000,
                reasoning: false,
                accepts_images: true,
                price: Some(Price { input: 1.0, output: 2.0, cache_read: 0.1, cache_write: 1.25 }),
            },
            tools,
            providers: vec![],
            packages: vec![],
            output_schema,
            memories: vec![],
            egress: Egress::Public,
            proxy: None,
            limits: RunLimits::default(),
        };
        Self {
            spec,
            cancel: Cancel::new(),
            acts: HashMap::new(),
            time: Duration::from_mins(5),
            journal_lives_for: usize::MAX,
            cancel_at_start_of: None,
            steps: Mutex::new(steps.into_iter().collect()),
            timer: TokioTimer::start(),
            requests: Mutex::default(),
            events: Mutex::default(),
            deltas: Mutex::default(),
            opened: Mutex::default(),
            settled: Mutex::default(),
            work: Mutex::default(),
        }
    }

    /// Runs to the end and checks what must hold for every run.
    pub(super) async fn run(&self) -> Outcome {
        let ids = SeededIds::new(1);
        let ports = Ports { model: self, hands: self, journal: self, ledger: self, timer: &self.timer, ids: &ids };
        let outcome = run(&self.spec, self.time, &ports, &self.cancel).await;

        let opened: Vec<_> = self.opened.lock().expect("lock").iter().map(|(entry, _)| *entry).collect();
        let settled = self.settled.lock().expect("lock");
        assert_eq!(opened, settled.iter().map(|(entry, _)| *entry).collect::<Vec<_>>(), "every entry is settled once");
        let (mut usage, mut cost) = (Usage::default(), NanoUsd::ZERO);
        for (_, settlement) in settled.iter() {
            usage += settlement.usage;
            cost += settlement.cost;
        }
        assert_eq!((outcome.usage, outcome.cost), (usage, cost), "the outcome is the ledger's sum");
        assert!(self.timer.elapsed() <= self.time + Duration::from_secs(6), "the run ended late");
        outcome
    }

    pub(super) fn event_names(&self) -> Vec<String> {
        let events = self.events.lock().expect("lock");
        let names = events.iter().map(|event| match event {
            RunEvent::ToolStarted { tool, .. } | RunEvent::ToolCompleted { tool, .. } => format!("{} {tool}", event.name()),
            event => event.name().to_owned(),
        });
        names.collect()
    }

    /// The texts of the last message of request number `index`.
    pub(super) fn last_texts(&self, index: usize) -> Vec<String> {
        let requests = self.requests.lock().expect("lock");
        let text = |block: &Block| match block {
            Block::Text { text } => text.clone(),
            Block::Image { .. } => "(image)".to_owned(),
        };
        match requests[index].messages.last() {
            Some(Message::User { content }) => content.iter().map(text).collect(),
            Some(Message::Tool { results }) => results.iter().flat_map(|result| &result.content).map(text).collect(),
            other => panic!("no user or tool message: {other:?}"),
        }
    }
}

#[async_trait]
impl Model for World {
    async fn turn(&self, request: &TurnRequest<'_>, deltas: &dyn DeltaSink) -> Result<Turn, ModelError> {
        self.requests.lock().expect("lock").push(Seen {
            messages: request.messages.to_vec(),
            has_tools: !request.tools.is_empty(),
            max_output_tokens: request.max_output_tokens,
        });
        let step = self.steps.lock().expect("lock").pop_front().expect("the script has no further step");
        match step {
            Step::Reply(turn) => {
                deltas.delta(&turn.message.text);
                Ok(turn)
            }
            Step::Fail(error) => Err(error),
            Step::Hang(part) => {
                deltas.delta(part);
                std::future::pending().await
            }
        }
    }
}

#[async_trait]
impl Hands for World {
    async fn call(&self, call: &HandCall<'_>, cancel: &CancellationToken) -> Result<ToolOutcome, HandsLost> {
        assert_ne!(call.tool.carrier, ToolCarrier::Loop);
        let name = format!("{} {}", call.tool.name, call.tool_call_id);
        self.work.lock().expect("lock").push(format!("start {name}"));
        let result = match self.acts.get(call.tool.name.as_str()).copied().unwrap_or(Act::Answer("done")) {
            Act::Answer(text) => Ok(ToolOutcome::text(text)),
            Act::Count => Ok(ToolOutcome::text(format!("result {}", self.work.lock().expect("lock").len()))),
            Act::Long(bytes) => Ok(ToolOutcome::text("x".repeat(bytes))),
            Act::After(millis) => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok(ToolOutcome::text("done"))
            }
            Act::UntilCancelled => {
                cancel.cancelled().await;
                Ok(ToolOutcome::error("was cancelled"))
            }
            Act::Deaf => std::future::pending().await,
            Act::Lost => Err(HandsLost("The sandbox died.".to_owned())),
        };
        self.work.lock().expect("lock").push(format!("end {name}"));
        result
    }
}

#[async_trait]
impl Journal for World {
    async fn commit(&self, event: RunEvent) -> Result<(), PortLost> {
        let mut events = self.events.lock().expect("lock");
        if events.len() >= self.journal_lives_for {
            return Err(PortLost("the worker is gone".to_owned()));
        }
        if let RunEvent::ToolStarted { tool, .. } = &event
            && Some(tool.as_str()) == self.cancel_at_start_of
        {
            self.cancel.request(Failure::new(FailureCode::Cancelled, "Stopped by a user."));
        }
        events.push(event);
        Ok(())
    }

    fn delta(&self, text: &str) {
        self.deltas.lock().expect("lock").push_str(text);
    }
}

#[async_trait]
impl Ledger for World {
    async fn open(&self, entry: u64, reserved: NanoUsd) -> Result<(), PortLost> {
        self.opened.lock().expect("lock").push((entry, reserved));
        Ok(())
    }

    async fn settle(&self, entry: u64, settlement: Settlement) -> Result<(), PortLost> {
        self.settled.lock().expect("lock").push((entry, settlement));
        Ok(())
    }
}

pub(super) const USAGE: Usage = Usage { input: 100, output: 20, cache_read: 50, cache_write: 0 };

pub(super) fn reply(text: &str, calls: &[(&str, Value)], stop: StopReason) -> Step {
    let call = |(position, (name, arguments)): (usize, &(&str, Value))| ToolCall {
        id: format!("{}", position + 1),
        name: (*name).to_owned(),
        arguments: arguments.clone(),
    };
    let message = AssistantMessage { text: text.to_owned(), tool_calls: calls.iter().enumerate().map(call).collect(), opaque: vec![] };
    Step::Reply(Turn { message, usage: Some(USAGE), stop })
}

pub(super) fn calls(calls: &[(&str, Value)]) -> Step {
    reply("", calls, StopReason::ToolCalls)
}

pub(super) fn says(text: &str) -> Step {
    reply(text, &[], StopReason::End)
}

pub(super) fn fails(kind: ModelErrorKind) -> Step {
    Step::Fail(ModelError::new(kind, "503 try later"))
}

pub(super) fn code(outcome: &Outcome) -> Option<FailureCode> {
    outcome.failure.as_ref().map(|failure| failure.code)
}
