//! One execution of an agent: the projection of its events.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[expect(clippy::struct_field_names, reason = "`model_id` is the language model, not this row")]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "runs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub org_id: String,
    pub app_id: String,
    pub end_user_id: Option<String>,
    /// The package; none for an inline run, which shares nothing with a package of the same name.
    pub agent: Option<String>,
    pub version: Option<String>,
    pub status: String,
    pub user_id: Option<String>,
    pub key_id: Option<String>,
    pub input: String,
    pub config: String,
    pub output: Option<String>,
    pub report: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
    pub error_code: Option<String>,
    pub model_id: Option<String>,
    pub model_label: String,
    pub proxy_id: Option<String>,
    pub proxy_label: Option<String>,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub cost: i64,
    pub rung: Option<String>,
    pub cancel_requested_at: Option<At>,
    pub created_at: At,
    pub started_at: Option<At>,
    pub completed_at: Option<At>,
    /// The number of the next event.
    pub next_seq: i64,
    /// Grows with each claim; what a worker writes must carry its own.
    pub lease_epoch: i64,
    pub lease_worker: Option<String>,
    pub lease_until: Option<At>,
    /// When its end was marked as read; see [`crate::Notifications`].
    pub read_at: Option<At>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Private { org: Column::OrgId, app: Column::AppId, end_user: Column::EndUserId };
}
