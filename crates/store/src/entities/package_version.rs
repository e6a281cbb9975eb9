//! A published version of a package; never changed.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_versions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub owner: String,
    pub org_id: Option<String>,
    pub package: String,
    pub version: String,
    pub integrity: String,
    pub size_bytes: i64,
    pub manifest: String,
    /// The prompt of an agent, the text of a skill.
    pub content: Option<String>,
    pub blob: String,
    pub lockfile: String,
    pub created_by: Option<String>,
    pub created_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Catalog { org: Column::OrgId };
}
