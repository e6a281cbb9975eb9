//! A seal over a stretch of one chain of the audit log.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_seals")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub org_id: Option<String>,
    pub app_id: Option<String>,
    pub first_position: i64,
    pub last_position: i64,
    pub row_count: i64,
    pub rows_digest: String,
    pub previous: String,
    pub digest: String,
    pub key_id: String,
    pub signature: String,
    pub sealed_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Seal { org: Column::OrgId, app: Column::AppId };
}
