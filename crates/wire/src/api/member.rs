//! Members of an organization.

use domain::{Role, UserId};
use serde::{Deserialize, Serialize};

use super::timestamp::Moment;

/// The constant `member`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum MemberObject {
    #[serde(rename = "member")]
    Member,
}

/// A user's place in an organization.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub object: MemberObject,
    pub user_id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub joined_at: Moment,
}

/// Body of `PATCH /api/orgs/{id}/members/{userId}`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeMemberRole {
    pub role: Role,
}
