//! How many runs an application or one of its end-users has, spread over shards so that concurrent starts do not wait for each other.

use sea_orm::entity::prelude::*;

use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run_totals")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub app_id: String,
    /// The end-user; empty for the application as a whole.
    #[sea_orm(primary_key, auto_increment = false)]
    pub owner: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub shard: i64,
    pub org_id: String,
    /// One shard alone may be negative; their sum is the total.
    pub total: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Shared { org: Column::OrgId, app: Column::AppId };
}
