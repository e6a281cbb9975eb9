//! How often something was tried. Of the platform itself, in no tenant.

use sea_orm::entity::prelude::*;

use super::At;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub bucket: Vec<u8>,
    pub count: i64,
    pub blocked_until: At,
    pub expires_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
