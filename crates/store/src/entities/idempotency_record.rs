//! The answer to a request that may be repeated, or the intent of one that is calling out.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub org_id: Option<String>,
    pub app_id: Option<String>,
    pub end_user_id: Option<String>,
    pub fingerprint: Vec<u8>,
    pub status: i64,
    pub body: Option<Vec<u8>>,
    pub location: Option<String>,
    pub attempt: i64,
    pub resumes: bool,
    pub intent: Option<Vec<u8>>,
    pub leased_until: Option<At>,
    pub created_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Trace { org: Column::OrgId, app: Column::AppId, end_user: Column::EndUserId };
}
