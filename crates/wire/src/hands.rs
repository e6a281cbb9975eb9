//! Between a run's sidecar and the tool host (`appstrate-toolhost`) in its sandbox, over one inherited socket pair.
//!
//! The sidecar speaks first ([`ToHands::Setup`]); the host answers [`FromHands::Ready`], then serves calls, several at a time.
//! Nothing the host says is believed beyond the result of its own call.

use std::collections::BTreeMap;

use domain::PackageName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::message::Block;

/// From the sidecar to the tool host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToHands {
    /// Once, first: lay out the workspace and load the tools. More files may follow as [`ToHands::Put`].
    Setup(Setup),
    /// Write a file (or append to it) below the workspace; answered by [`FromHands::Done`] under the same number.
    Put { call: u64, file: File, append: bool },
    /// Carry out one tool call.
    Call(Call),
    /// Give up a call: its `signal` aborts, its processes die. It still answers `Done`.
    Cancel { call: u64 },
}

/// How the workspace and the tools begin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// Environment of the shell and of `process.env` in tools: `AGENT_PROMPT`, `SIDECAR_URL`, `HTTP_PROXY`, ….
    pub environment: BTreeMap<String, String>,
    pub files: Vec<File>,
    /// TypeScript tools to load, in this order.
    pub tools: Vec<ToolModule>,
    pub limits: HandLimits,
}

/// A file of the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Relative to `/workspace`, `/`-separated, no `..`; parents are made.
    pub path: String,
    #[serde(with = "base64_bytes")]
    pub content: Vec<u8>,
    /// Permission bits, e.g. `0o644`.
    pub mode: u32,
}

/// A tool package to load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolModule {
    pub package: PackageName,
    /// Directory of the package below `/workspace`.
    pub directory: String,
    /// The entry module, relative to `directory`.
    pub entrypoint: String,
}

/// Bounds that the host keeps for itself; the sandbox bounds the host as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandLimits {
    /// Time for one call when the call names none, in milliseconds.
    pub call_timeout_ms: u64,
    /// Heap of one JavaScript tool, in bytes.
    pub tool_memory_bytes: u64,
}

impl Default for HandLimits {
    fn default() -> Self {
        Self { call_timeout_ms: 120_000, tool_memory_bytes: 128 * 1024 * 1024 }
    }
}

/// One tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Chosen by the sidecar, unique on this socket.
    pub call: u64,
    /// The id that the model gave the call; handed to `execute` as `toolCallId`.
    pub tool_call_id: String,
    /// `bash`, `read`, `write`, `edit`, `ls`, `grep`, `find`, or a loaded tool's name.
    pub tool: String,
    pub arguments: Value,
    /// Time for this call in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// From the tool host to the sidecar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromHands {
    /// The workspace stands. A tool that could not be loaded is named with the reason; the others work.
    Ready { tools: Vec<LoadedTool>, failures: Vec<LoadFailure> },
    /// The workspace could not be laid out; sent instead of `Ready`, and the host ends. For the run's record.
    Failed { message: String },
    /// Partial result of a running call (`onUpdate`).
    Update { call: u64, content: Vec<Block> },
    /// The end of a call.
    Done { call: u64, outcome: ToolOutcome },
    /// A line that a tool wrote with `console` or to `process.stdout`. Display only.
    Line { tool: String, text: String },
}

/// A tool as its module registered it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadedTool {
    pub package: PackageName,
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments.
    pub parameters: Value,
}

/// Why a tool package could not be loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadFailure {
    pub package: PackageName,
    /// For the user; names the import that is missing, the syntax error or the exception.
    pub message: String,
}

/// What a tool call came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolOutcome {
    pub content: Vec<Block>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    pub is_error: bool,
}

impl ToolOutcome {
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Block::text(text)], details: None, is_error: false }
    }

    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }
}

/// Bytes as standard base64 text inside JSON.
pub mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        STANDARD.decode(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}
