//! A package; without an organization it is the platform's.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "packages")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The organization's id, or `system`.
    pub owner: String,
    pub org_id: Option<String>,
    pub package_type: String,
    /// The version published last.
    pub latest_version_id: Option<String>,
    pub created_by: Option<String>,
    pub created_at: At,
    pub updated_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Catalog { org: Column::OrgId };
}
