//! A person who signs in. Of the platform itself, in no tenant.

use sea_orm::entity::prelude::*;

use super::At;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub realm: String,
    pub email: String,
    pub name: String,
    pub email_verified: bool,
    pub password_hash: Option<String>,
    pub created_at: At,
    pub updated_at: At,
    pub language: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
