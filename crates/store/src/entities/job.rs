//! What must be done.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub org_id: Option<String>,
    pub app_id: Option<String>,
    pub end_user_id: Option<String>,
    pub kind: String,
    pub subject: String,
    pub payload: String,
    pub due_at: At,
    pub attempts: i64,
    /// Grows with each claim; what a worker writes must still carry its own.
    pub epoch: i64,
    pub worker: Option<String>,
    pub leased_until: Option<At>,
    pub created_at: At,
    pub finished_at: Option<At>,
    pub failure: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Trace { org: Column::OrgId, app: Column::AppId, end_user: Column::EndUserId };
}
