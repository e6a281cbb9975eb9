//! A package in use by an application, and how.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "installations")]
pub struct Model {
    pub org_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub app_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub package: String,
    pub package_owner: String,
    /// The pinned version; none: the latest.
    pub version_id: Option<String>,
    pub config: String,
    pub model_id: Option<String>,
    pub proxy_id: Option<String>,
    pub enabled: bool,
    pub installed_at: At,
    pub updated_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Shared { org: Column::OrgId, app: Column::AppId };
}
