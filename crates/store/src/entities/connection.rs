//! Stored credentials for a provider, sealed.

use sea_orm::entity::prelude::*;

use super::At;
use crate::scoped::{Scoped, Tenancy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub org_id: String,
    pub app_id: Option<String>,
    pub owner: String,
    pub user_id: Option<String>,
    pub end_user_id: Option<String>,
    /// The application's id, or the organization's.
    pub place: String,
    /// The id of the owner itself.
    pub holder: String,
    pub profile_id: String,
    pub provider: String,
    pub provider_owner: String,
    pub auth_mode: String,
    pub sealed: Vec<u8>,
    pub scopes: String,
    pub needs_reconnection: bool,
    pub expires_at: Option<At>,
    pub created_at: At,
    pub updated_at: At,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Scoped for Entity {
    const TENANCY: Tenancy<Column> =
        Tenancy::Held { org: Column::OrgId, app: Column::AppId, owner: Column::Owner, user: Column::UserId, end_user: Column::EndUserId };
}
