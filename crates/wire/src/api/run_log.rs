//! The log of a run, as users read it.

use domain::RunId;
use serde::Serialize;
use serde_json::Value;

use super::timestamp::Moment;
use crate::run_event::LogLevel;

/// The constant `run_log`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum RunLogObject {
    #[serde(rename = "run_log")]
    RunLog,
}

/// One line of a run's log. Ordered by `seq`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunLog {
    pub object: RunLogObject,
    /// Unique within the run, ascending; the `id:` of the stream.
    pub seq: i64,
    pub run_id: RunId,
    /// `progress`, `system` or `result`.
    pub r#type: &'static str,
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^(debug|info|warn|error)$"))]
    pub level: LogLevel,
    /// The name of the event behind the line, e.g. `tool.started`.
    pub event: &'static str,
    pub message: String,
    pub data: Option<Value>,
    pub created_at: Moment,
}
