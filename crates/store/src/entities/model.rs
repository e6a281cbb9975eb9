//! A language model that an organization has configured.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "models")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub org_id: String,
    pub label: String,
    pub protocol: String,
    pub base_url: String,
    pub model: String,
    pub provider_key_id: Option<String>,
    pub context_window: i64,
    pub max_output_tokens: i64,
    pub reasoning: bool,
    pub accepts_images: bool,
    pub price: Option<String>,
    pub enabled: bool,
    pub is_default: bool,
    pub created_by: Option<String>,
    pub created_at: At,
    pub updated_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> = Tenancy::Organization { org: Column::OrgId };
}
