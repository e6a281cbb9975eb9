//! Applications.

use domain::{AppId, OrgId, UserId};
use serde::{Deserialize, Serialize};
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

/// Settings of an application. Whatever is left out has its default.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplicationSettings {
    /// Host names that a sign-in may lead back to, at most 20; kept in lower case.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_items = 20, example = json!(["app.example.com"]), value_type = Vec<String>, required = false))]
    pub allowed_redirect_domains: Option<Vec<String>>,
}

/// Body of `POST /api/applications`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateApplication {
    /// 1 to 100 characters.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100, example = "Production"))]
    pub name: String,
    #[serde(default)]
    pub settings: ApplicationSettings,
}

/// Body of `PATCH /api/applications/{id}`. Missing members stay; settings are replaced whole.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateApplication {
    /// 1 to 100 characters.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100, value_type = String, required = false))]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = ApplicationSettings, required = false))]
    pub settings: Option<ApplicationSettings>,
}
