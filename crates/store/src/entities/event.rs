//! What happened. On PostgreSQL the table has also transaction_id (xid8), for readers of many runs.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    /// Grows with each row; on SQLite in the order of commit.
    #[sea_orm(primary_key)]
    pub position: i64,
    pub id: String,
    pub org_id: String,
    pub app_id: Option<String>,
    pub end_user_id: Option<String>,
    pub kind: String,
    pub subject: String,
    pub run_id: Option<String>,
    /// Grows by one within a run, from 1; only for events of a run.
    pub seq: Option<i64>,
    pub data: String,
    pub created_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Trace { org: Column::OrgId, app: Column::AppId, end_user: Column::EndUserId };
}
