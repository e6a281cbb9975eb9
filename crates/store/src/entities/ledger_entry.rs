//! One model call: what was reserved before it and what it cost.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: String,
    /// Counts the calls of a run.
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry: i64,
    pub org_id: String,
    pub app_id: String,
    pub end_user_id: Option<String>,
    /// `open`, or how sure the cost is.
    pub state: String,
    pub reserved: i64,
    pub cost: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub opened_at: At,
    pub settled_at: Option<At>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Private { org: Column::OrgId, app: Column::AppId, end_user: Column::EndUserId };
}
