//! A run's state as streams tell it.

use domain::{AppId, EndUserId, KeyId, OrgId, PackageName, RunId, RunStatus, UserId};
use serde::Serialize;

use super::run_log::RunLog;
use super::timestamp::Moment;

/// The constant `run_update`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum RunUpdateObject {
    #[serde(rename = "run_update")]
    RunUpdate,
}

/// How a run stands: after an event that has changed its state, or, in the snapshot with which a stream of many runs begins, now.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunUpdate {
    pub object: RunUpdateObject,
    /// The run.
    pub id: RunId,
    pub org_id: OrgId,
    pub application_id: AppId,
    /// The agent; null for an inline run.
    pub package_id: Option<PackageName>,
    /// The version that runs; null for an inline run.
    pub version: Option<String>,
    pub status: RunStatus,
    pub end_user_id: Option<EndUserId>,
    /// The member who started it from a session.
    pub user_id: Option<UserId>,
    /// The key that started it.
    pub api_key_id: Option<KeyId>,
    /// Why the run did not succeed, for people.
    pub error: Option<String>,
    /// The same as a stable code.
    pub error_code: Option<String>,
    /// Dollars; `costNanoUsd` is exact. Null until the run has ended.
    pub cost: Option<f64>,
    /// Billionths of a dollar.
    pub cost_nano_usd: Option<i64>,
    pub created_at: Moment,
    pub started_at: Option<Moment>,
    pub completed_at: Option<Moment>,
    /// Milliseconds from start to end.
    pub duration: Option<i64>,
    /// The number of the event in the run's log; null in a snapshot.
    pub seq: Option<i64>,
    /// The event: `run.created`, `run.started` or `run.ended`; null in a snapshot.
    pub event: Option<&'static str>,
    /// The event's line in the run's log; null in a snapshot.
    pub message: Option<String>,
}

/// A piece of the model's text as it comes. Not kept; the turn's log line repeats it whole.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunDelta {
    pub run_id: RunId,
    pub text: String,
}

/// What an event of a stream holds in its `data`, by its name: `run_update`, `run_log` or `run_delta`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum StreamEvent {
    RunUpdate(Box<RunUpdate>),
    RunLog(Box<RunLog>),
    RunDelta(RunDelta),
}
