//! Runs.

use std::collections::BTreeMap;

use domain::{AppId, EndUserId, KeyId, ModelId, OrgId, PackageName, ProxyChoice, ProxyRef, RunId, RunStatus, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::timestamp::Moment;
use crate::message::Usage;

/// The constant `run`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum RunObject {
    #[serde(rename = "run")]
    Run,
}

/// One execution of an agent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub object: RunObject,
    pub id: RunId,
    pub org_id: OrgId,
    pub application_id: AppId,
    /// The agent; null for an inline run.
    pub package_id: Option<PackageName>,
    /// The version that ran; null for an inline run.
    pub version: Option<String>,
    pub status: RunStatus,
    /// The customer on whose behalf the run was made.
    pub end_user_id: Option<EndUserId>,
    /// The member who started it from a session.
    pub user_id: Option<UserId>,
    /// The key that started it.
    pub api_key_id: Option<KeyId>,
    pub input: Value,
    pub config: Value,
    pub result: RunResult,
    /// Why the run did not succeed, for people.
    pub error: Option<String>,
    /// The same as a stable code.
    pub error_code: Option<String>,
    pub model_id: Option<ModelId>,
    pub model_label: String,
    /// The outbound proxy that carries provider calls and the agent's own HTTP; null: they go out directly.
    pub proxy_id: Option<ProxyRef>,
    pub proxy_label: Option<String>,
    pub token_usage: TokenUsage,
    /// Dollars; `costNanoUsd` is exact.
    pub cost: f64,
    /// Billionths of a dollar.
    pub cost_nano_usd: i64,
    /// The isolation that carried the run's tools; null until it started.
    pub sandbox: Option<String>,
    pub cancel_requested_at: Option<Moment>,
    pub created_at: Moment,
    pub started_at: Option<Moment>,
    pub completed_at: Option<Moment>,
    /// Milliseconds from start to end.
    pub duration: Option<i64>,
}

/// What the run produced.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// Fits the agent's output schema.
    pub output: Option<Value>,
    /// Markdown.
    pub report: Option<String>,
    /// What the next run of the same owner sees as its previous state.
    pub state: Option<Value>,
}

/// Tokens in four disjoint buckets.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TokenUsage {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
}

impl From<Usage> for TokenUsage {
    fn from(usage: Usage) -> Self {
        Self { input: usage.input, output: usage.output, cache_read: usage.cache_read, cache_write: usage.cache_write }
    }
}

/// Body of `POST /api/agents/{scope}/{name}/run`. May be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunAgent {
    /// An exact version, a dist-tag or a range; left out: the installed one.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 256))]
    pub version: Option<String>,
    /// Checked against the agent's input schema.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>, example = json!({"email_id": "msg_9qp3k8zp"})))]
    pub input: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    pub model_id: Option<ModelId>,
    /// A proxy of the organization or of the server, or `"none"` for a direct connection.
    #[serde(default)]
    pub proxy_id: Option<ProxyChoice>,
}

/// Body of `POST /api/runs`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateRun {
    pub agent_id: PackageName,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 256))]
    pub version: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub input: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    pub model_id: Option<ModelId>,
    /// A proxy of the organization or of the server, or `"none"` for a direct connection.
    #[serde(default)]
    pub proxy_id: Option<ProxyChoice>,
}

/// Body of `POST /api/runs/inline`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateInlineRun {
    /// The AFPS manifest of an agent. Nothing of it is published.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub manifest: Value,
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 200_000))]
    pub prompt: String,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub input: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub config: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    pub model_id: Option<ModelId>,
    /// A proxy of the organization or of the server, or `"none"` for a direct connection.
    #[serde(default)]
    pub proxy_id: Option<ProxyChoice>,
}

/// Answer to starting a run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StartedRun {
    pub run_id: RunId,
}
