//! Applications.

use domain::{AppId, OrgId, UserId};
use serde::Serialize;
use serde_json::Value;

use super::timestamp::Moment;

/// The constant `application`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ApplicationObject {
    #[serde(rename = "application")]
    Application,
}

/// An application: the unit of isolation inside an organization.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Application {
    pub object: ApplicationObject,
    pub id: AppId,
    pub org_id: OrgId,
    pub name: String,
    pub is_default: bool,
    pub settings: Value,
    pub created_by: Option<UserId>,
    pub created_at: Moment,
    pub updated_at: Moment,
}
