//! What happened in a run: the append-only record that everything else is folded from.
//!
//! `(run_id, seq)` is unique and only the lease holder writes. Exactly one terminal event (`run.ended`) closes a run.

use domain::{NanoUsd, PackageName, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hands::ToolOutcome;
use crate::message::{AssistantMessage, StopReason, Usage};

/// One event of a run. The tag is the event's name on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum RunEvent {
    /// Accepted and queued. Written with the run row.
    #[serde(rename = "run.created")]
    Created { agent: String },
    /// The worker has handed the run to its sidecar.
    #[serde(rename = "run.started")]
    Started { rung: String, egress: Value },
    /// A model turn ended; holds the whole message.
    #[serde(rename = "turn.completed")]
    TurnCompleted { turn: u32, message: AssistantMessage, usage: Usage, stop: StopReason, duration_ms: u64 },
    /// Committed before the call is carried out.
    #[serde(rename = "tool.started")]
    ToolStarted { tool_call_id: String, tool: String, arguments: Value },
    #[serde(rename = "tool.completed")]
    ToolCompleted { tool_call_id: String, tool: String, outcome: ToolOutcome, duration_ms: u64 },
    /// The `log` tool, tool output lines and platform notices.
    #[serde(rename = "log")]
    Log {
        level: LogLevel,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    /// The merged output after a valid `output` call.
    #[serde(rename = "output")]
    Output { output: Value },
    #[serde(rename = "report")]
    Report { content: String },
    #[serde(rename = "state.set")]
    StateSet { state: Value },
    #[serde(rename = "memory.added")]
    MemoryAdded { key: Option<String>, text: String },
    /// One provider request through the credential proxy.
    #[serde(rename = "provider.called")]
    ProviderCalled(ProviderCalled),
    /// One connection of the agent's own HTTP.
    #[serde(rename = "egress")]
    Egress { host: String, port: u16, allowed: bool, bytes_sent: u64, bytes_received: u64 },
    #[serde(rename = "sandbox.started")]
    SandboxStarted { rung: String, duration_ms: u64 },
    /// The conversation was compacted.
    #[serde(rename = "context.compacted")]
    ContextCompacted { tokens_before: u64, tokens_after: u64 },
    /// The one terminal event.
    #[serde(rename = "run.ended")]
    Ended { status: RunStatus, failure: Option<Failure>, duration_ms: u64, cost: NanoUsd },
}

impl RunEvent {
    /// The name of the event that closes a run.
    pub const ENDED: &'static str = "run.ended";

    /// The event's name, as in its `type` member.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "run.created",
            Self::Started { .. } => "run.started",
            Self::TurnCompleted { .. } => "turn.completed",
            Self::ToolStarted { .. } => "tool.started",
            Self::ToolCompleted { .. } => "tool.completed",
            Self::Log { .. } => "log",
            Self::Output { .. } => "output",
            Self::Report { .. } => "report",
            Self::StateSet { .. } => "state.set",
            Self::MemoryAdded { .. } => "memory.added",
            Self::ProviderCalled(_) => "provider.called",
            Self::Egress { .. } => "egress",
            Self::SandboxStarted { .. } => "sandbox.started",
            Self::ContextCompacted { .. } => "context.compacted",
            Self::Ended { .. } => Self::ENDED,
        }
    }
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// One request through the credential proxy, without any credential.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderCalled {
    pub provider: PackageName,
    pub method: String,
    pub host: String,
    /// Path without query.
    pub path: String,
    /// `None`: refused or unreachable; `error` says why.
    pub status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub duration_ms: u64,
}

/// Why a run did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: FailureCode,
    /// For the user: what happened and what to do.
    pub message: String,
}

impl Failure {
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

macro_rules! failure_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal;)+) => {
        /// A stable code for each way a run can end without success.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum FailureCode { $($(#[$doc])* #[serde(rename = $text)] $variant),+ }
        impl FailureCode {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text),+ } }
        }
    };
}

failure_codes! {
    /// The run's time was up.
    TimedOut = "timed_out";
    /// Somebody asked the run to stop.
    Cancelled = "cancelled";
    /// The server stopped or crashed while the run was going.
    ServerRestarted = "server_restarted";
    /// The sidecar process died.
    SidecarLost = "sidecar_lost";
    /// The sandbox could not be started or died.
    SandboxFailed = "sandbox_failed";
    /// The model's key was refused.
    ModelAuthentication = "model_authentication";
    /// The model stayed rate limited or overloaded through all retries.
    ModelOverloaded = "model_overloaded";
    /// The model could not be reached, or hung.
    ModelUnreachable = "model_unreachable";
    /// The model refused the request (for example: unknown model, context too long).
    ModelRejected = "model_rejected";
    /// The model's answer made no sense through all retries, or it repeated itself without end.
    ModelMisbehaved = "model_misbehaved";
    /// The cap on turns was reached.
    TurnLimit = "turn_limit";
    /// The cap on tokens was reached.
    TokenLimit = "token_limit";
    /// The cap on cost was reached.
    CostLimit = "cost_limit";
    /// The agent ended without an output that fits its schema.
    OutputMissing = "output_missing";
    /// The run could not be prepared (a package or credential is gone).
    PreparationFailed = "preparation_failed";
    /// The fault is the platform's.
    Internal = "internal";
}
