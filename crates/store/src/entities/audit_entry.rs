//! A row of the audit log.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub org_id: Option<String>,
    pub app_id: Option<String>,
    pub end_user_id: Option<String>,
    pub request_id: String,
    pub key_id: Option<String>,
    pub user_id: Option<String>,
    pub permission: String,
    /// `allowed` or `denied`.
    pub decision: String,
    pub method: String,
    pub route: String,
    pub path: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub subject: Option<String>,
    pub detail: String,
    pub status: Option<i64>,
    /// The problem's code; `None` for success.
    pub code: Option<String>,
    pub created_at: At,
    /// Filled by the sealer, all three at once.
    pub chain: Option<String>,
    pub seal: Option<i64>,
    /// Counts from 1 within the chain, without gaps.
    pub position: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Log { org: Column::OrgId, app: Column::AppId, end_user: Column::EndUserId };
}
