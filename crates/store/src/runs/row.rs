//! A run as everyone outside sees it.

use domain::{AppId, EndUserId, KeyId, ModelId, NanoUsd, OrgId, PackageName, ProxyRef, RunId, RunStatus, Timestamp, UserId};
use serde_json::Value;
use wire::message::Usage;

use crate::StoreError;
use crate::entities::{json, parse, parse_some, run};

/// One execution of an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub id: RunId,
    pub org: OrgId,
    pub app: AppId,
    pub end_user: Option<EndUserId>,
    /// The package and its version; both `None` for an inline run.
    pub agent: Option<PackageName>,
    pub version: Option<String>,
    pub status: RunStatus,
    pub user: Option<UserId>,
    pub key: Option<KeyId>,
    pub input: Value,
    pub config: Value,
    pub output: Option<Value>,
    pub report: Option<String>,
    pub state: Option<Value>,
    pub error: Option<String>,
    pub error_code: Option<String>,
    pub model: Option<ModelId>,
    pub model_label: String,
    /// The outbound proxy that carries its calls; both `None`: they go out directly.
    pub proxy: Option<ProxyRef>,
    pub proxy_label: Option<String>,
    pub usage: Usage,
    pub cost: NanoUsd,
    pub rung: Option<String>,
    pub cancel_requested_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
}

impl Run {
    /// Milliseconds from start to end.
    pub fn duration_ms(&self) -> Option<i64> {
        Some((self.completed_at? - self.started_at?).num_milliseconds())
    }
}

impl TryFrom<run::Model> for Run {
    type Error = StoreError;

    fn try_from(row: run::Model) -> Result<Self, StoreError> {
        const WHAT: &str = "a run";
        let usage = Usage {
            input: tokens(row.input_tokens)?,
            output: tokens(row.output_tokens)?,
            cache_read: tokens(row.cache_read_tokens)?,
            cache_write: tokens(row.cache_write_tokens)?,
        };
        Ok(Self {
            id: parse(&row.id, WHAT)?,
            org: parse(&row.org_id, WHAT)?,
            app: parse(&row.app_id, WHAT)?,
            end_user: parse_some(row.end_user_id.as_deref(), WHAT)?,
            agent: parse_some(row.agent.as_deref(), WHAT)?,
            version: row.version,
            status: status(&row.status)?,
            user: parse_some(row.user_id.as_deref(), WHAT)?,
            key: parse_some(row.key_id.as_deref(), WHAT)?,
            input: json(&row.input, WHAT)?,
            config: json(&row.config, WHAT)?,
            output: row.output.map(|text| json(&text, WHAT)).transpose()?,
            report: row.report,
            state: row.state.map(|text| json(&text, WHAT)).transpose()?,
            error: row.error,
            error_code: row.error_code,
            model: parse_some(row.model_id.as_deref(), WHAT)?,
            model_label: row.model_label,
            proxy: parse_some(row.proxy_id.as_deref(), WHAT)?,
            proxy_label: row.proxy_label,
            usage,
            cost: NanoUsd(row.cost),
            rung: row.rung,
            cancel_requested_at: row.cancel_requested_at.map(|at| at.0),
            created_at: row.created_at.0,
            started_at: row.started_at.map(|at| at.0),
            completed_at: row.completed_at.map(|at| at.0),
        })
    }
}

pub(super) fn status(text: &str) -> Result<RunStatus, StoreError> {
    RunStatus::parse(text).ok_or(StoreError::Corrupt { what: "the status of a run" })
}

pub(super) fn tokens(count: i64) -> Result<u64, StoreError> {
    u64::try_from(count).map_err(|_| StoreError::Corrupt { what: "a number of tokens" })
}

/// A count as the database holds it. Beyond 2^63 it stays there, as money does.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The states that a run may leave for `next`, by the table of `domain`.
pub(super) fn before(next: RunStatus) -> impl Iterator<Item = &'static str> {
    RunStatus::ALL.into_iter().filter(move |from| from.may_become(next)).map(RunStatus::as_str)
}

/// Text that PostgreSQL can hold: it has no NUL.
pub(super) fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
