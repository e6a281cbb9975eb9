//! An outbound proxy of an organization; its address is sealed.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proxies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub org_id: String,
    pub label: String,
    /// The address without its password.
    pub shown: String,
    pub sealed: Vec<u8>,
    pub enabled: bool,
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
