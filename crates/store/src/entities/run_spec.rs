//! The frozen spec of a run, apart from its row so that lists do not read it.

use sea_orm::entity::prelude::*;

use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run_specs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: String,
    pub org_id: String,
    pub app_id: String,
    pub end_user_id: Option<String>,
    pub spec: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Private { org: Column::OrgId, app: Column::AppId, end_user: Column::EndUserId };
}
