//! A secret that was mailed to a user. Of the platform itself, in no tenant.

use sea_orm::entity::prelude::*;

use super::At;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: Vec<u8>,
    pub user_id: String,
    pub purpose: String,
    pub created_at: At,
    pub expires_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
