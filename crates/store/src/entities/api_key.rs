//! An API key of an application; only the SHA-256 of the secret is kept.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub org_id: String,
    pub app_id: String,
    pub name: String,
    pub hash: Vec<u8>,
    pub prefix: String,
    pub scopes: String,
    pub created_by: String,
    pub created_at: At,
    pub expires_at: Option<At>,
    pub last_used_at: Option<At>,
    pub revoked_at: Option<At>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Shared { org: Column::OrgId, app: Column::AppId };
}
