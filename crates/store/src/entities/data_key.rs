//! The key that seals one owner's rows, itself sealed by a master key. Of the platform itself.

use sea_orm::entity::prelude::*;

use super::At;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub org_id: String,
    pub app_id: Option<String>,
    pub end_user_id: Option<String>,
    /// The id of the owner itself.
    pub holder: String,
    pub master_key: String,
    pub sealed: Vec<u8>,
    pub created_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
