//! The frozen description of one run: what preflight decided, and all that the executor and the sidecar need besides secrets.

use std::collections::BTreeMap;

use domain::{AppId, ConnectionId, EndUserId, ModelId, NanoUsd, OrgId, PackageName, ProxyRef, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// Everything that a run is, decided before it starts and never changed afterwards. Holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    pub run: RunId,
    pub org: OrgId,
    pub app: AppId,
    pub end_user: Option<EndUserId>,
    pub agent: PackageName,
    /// The version that runs; `None` for an inline run.
    pub version: Option<String>,
    pub prompt: Prompt,
    pub model: ModelSpec,
    /// Tools the model is offered, in order; names are unique.
    pub tools: Vec<ToolSpec>,
    pub providers: Vec<ProviderSpec>,
    /// Packages whose files stand in the workspace, locked to exact bytes.
    pub packages: Vec<LockedPackage>,
    /// Schema that `output` is validated against.
    pub output_schema: Option<Value>,
    /// Memories that the run saw, oldest first, for the bookkeeping of `add_memory`.
    pub memories: Vec<MemoryEntry>,
    pub egress: Egress,
    /// The proxy through which provider calls and the agent's own HTTP go out; `None`: directly. Model calls never use it.
    pub proxy: Option<ProxySpec>,
    pub limits: RunLimits,
}

/// What the model reads first. The system text stands once; the user message is short.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    pub system: String,
    pub user: String,
}

/// The wire protocol of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelProtocol {
    #[serde(rename = "openai-completions")]
    OpenAiCompletions,
    #[serde(rename = "openai-responses")]
    OpenAiResponses,
    #[serde(rename = "anthropic-messages")]
    AnthropicMessages,
}

impl ModelProtocol {
    pub const ALL: [Self; 3] = [Self::OpenAiCompletions, Self::OpenAiResponses, Self::AnthropicMessages];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiCompletions => "openai-completions",
            Self::OpenAiResponses => "openai-responses",
            Self::AnthropicMessages => "anthropic-messages",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.as_str() == text)
    }
}

/// The model of a run, without its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// `None` for a built-in model from the environment.
    pub id: Option<ModelId>,
    pub label: String,
    pub protocol: ModelProtocol,
    /// Base URL up to the version segment, e.g. `https://api.openai.com/v1`.
    pub base_url: Url,
    /// The vendor's name of the model.
    pub model: String,
    pub context_window: u64,
    pub max_output_tokens: u64,
    pub reasoning: bool,
    pub accepts_images: bool,
    /// `None`: the price is unknown; cost counts as zero and the ledger says `unpriced`.
    pub price: Option<Price>,
}

/// Dollars for a million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    pub input: f64,
    pub output: f64,
    #[serde(default)]
    pub cache_read: f64,
    #[serde(default)]
    pub cache_write: f64,
}

impl Price {
    pub fn of(self, usage: crate::message::Usage) -> NanoUsd {
        NanoUsd::for_tokens(usage.input, self.input)
            + NanoUsd::for_tokens(usage.output, self.output)
            + NanoUsd::for_tokens(usage.cache_read, self.cache_read)
            + NanoUsd::for_tokens(usage.cache_write, self.cache_write)
    }
}

/// An outbound proxy, without its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxySpec {
    pub id: ProxyRef,
    pub label: String,
}

/// A tool as the model sees it, and who carries it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments.
    pub parameters: Value,
    pub carrier: ToolCarrier,
}

/// Who carries a tool out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum ToolCarrier {
    /// The loop itself: `output`, `report`, `log`, `set_state`, `add_memory`.
    Loop,
    /// The sidecar: `provider_call`, `run_history`.
    Sidecar,
    /// The tool host's own: `bash`, `read`, `write`, `edit`, `ls`, `grep`, `find`.
    Host,
    /// A TypeScript package in the tool host.
    Package { package: PackageName, directory: String, entrypoint: String },
}

/// A provider that the run may call, without credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderSpec {
    pub id: PackageName,
    pub display_name: String,
    pub connection: ConnectionId,
    /// `api_key`, `basic`, `custom`, `oauth2` or `oauth1`.
    pub auth_mode: String,
    pub authorized_uris: Vec<String>,
    pub allow_all_uris: bool,
    /// The header that carries the credential; `None`: no automatic header.
    pub header_name: Option<String>,
    pub header_prefix: Option<String>,
    /// The credential field that goes into the header.
    pub header_field: Option<String>,
    /// Fields that `{{field}}` slots in header or URL may use. Never contains `refresh_token`.
    pub template_fields: Vec<String>,
    /// The origin that the connection itself names (a custom `base_url` field), for `allow_all_uris`.
    pub own_origin: Option<Url>,
}

/// A package frozen to exact bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedPackage {
    pub name: PackageName,
    pub version: String,
    /// `sha256-<base64>` of the archive.
    pub integrity: String,
    /// Where its files stand below `/workspace`.
    pub directory: String,
}

/// A memory as the run saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryEntry {
    pub key: Option<String>,
    pub text: String,
    /// Whether the entry belongs to the run's own owner (the run may replace it) or is the application's, read-only for an end-user.
    pub own: bool,
}

/// Which hosts the agent's own HTTP may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case")]
pub enum Egress {
    /// Only the authorized URIs of the run's providers.
    Providers,
    /// Only hosts of the list; `*.example.com` is one or more labels.
    List { hosts: Vec<String> },
    /// Any public address, ports 80 and 443.
    #[default]
    Public,
}

/// Bounds of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLimits {
    /// Wall-clock time from `run.started`, in milliseconds.
    pub timeout_ms: u64,
    pub max_turns: u32,
    /// Sum of all buckets of all turns.
    pub max_tokens: u64,
    pub max_cost: Option<NanoUsd>,
    /// Default time for one tool call, in milliseconds.
    pub tool_timeout_ms: u64,
    pub sandbox: SandboxLimits,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            timeout_ms: 300_000,
            max_turns: 200,
            max_tokens: 10_000_000,
            max_cost: None,
            tool_timeout_ms: 120_000,
            sandbox: SandboxLimits::default(),
        }
    }
}

/// Bounds of the sandbox as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxLimits {
    pub memory_bytes: u64,
    pub workspace_bytes: u64,
    pub processes: u32,
    /// Hundredths of a core; 200 is two cores. Kept only where a cgroup is writable.
    pub cpu_percent: u32,
}

impl Default for SandboxLimits {
    fn default() -> Self {
        Self { memory_bytes: 1536 * 1024 * 1024, workspace_bytes: 512 * 1024 * 1024, processes: 256, cpu_percent: 200 }
    }
}

/// Inputs and settings as they were given, kept for display beside the spec.
pub type JsonObject = BTreeMap<String, Value>;
