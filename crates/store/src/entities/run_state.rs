//! What the next run of the same application, agent and end-user (or none) sees as its previous state.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

// The table's own key is a unique index over (app_id, agent, end-user or none); the last run to succeed stands in the row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run_states")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub app_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub agent: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: String,
    pub end_user_id: Option<String>,
    pub org_id: String,
    pub state: String,
    pub updated_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Private { org: Column::OrgId, app: Column::AppId, end_user: Column::EndUserId };
}
