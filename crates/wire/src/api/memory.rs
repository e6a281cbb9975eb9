//! Memories that runs have kept.

use domain::{EndUserId, MemoryId, RunId};
use serde::Serialize;

use super::timestamp::Moment;

/// The constant `memory`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum MemoryObject {
    #[serde(rename = "memory")]
    Memory,
}

/// One remembered text.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    pub object: MemoryObject,
    pub id: MemoryId,
    pub key: Option<String>,
    pub content: String,
    /// Null: the application's, seen by the runs of all its end-users.
    pub end_user_id: Option<EndUserId>,
    pub run_id: Option<RunId>,
    pub created_at: Moment,
}
