//! One remembered text.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memories")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub org_id: String,
    pub app_id: String,
    pub end_user_id: Option<String>,
    pub agent: String,
    pub key: Option<String>,
    pub content: String,
    pub run_id: String,
    pub created_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Memory { org: Column::OrgId, app: Column::AppId, end_user: Column::EndUserId };
}
