//! Organizations.

use domain::{OrgId, Role};
use serde::{Deserialize, Serialize};

use super::timestamp::Moment;

/// The constant `organization`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum OrganizationObject {
    #[serde(rename = "organization")]
    Organization,
}

/// An organization, with the caller's role in it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    pub object: OrganizationObject,
    pub id: OrgId,
    pub name: String,
    /// The package scope: packages of the organization are named `@slug/…`.
    pub slug: String,
    pub role: Role,
    /// The API version that requests without a header speak.
    pub api_version: String,
    pub created_at: Moment,
    pub updated_at: Moment,
}

/// Body of `POST /api/orgs`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateOrganization {
    /// 1 to 100 characters.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100, example = "Acme"))]
    pub name: String,
    /// Lower-case letters, digits and inner dashes, at most 50. Left out: made from the name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", example = "acme"))]
    pub slug: Option<String>,
}

/// Body of `PATCH /api/orgs/{id}`. Missing members stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateOrganization {
    /// 1 to 100 characters.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100, example = "Acme Robotics", value_type = String, required = false))]
    pub name: Option<String>,
    /// The scope of packages that are published from now on; those that exist keep their names.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(
        feature = "schema",
        schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", value_type = String, required = false)
    )]
    pub slug: Option<String>,
}

/// The constant `organization_settings`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum OrganizationSettingsObject {
    #[serde(rename = "organization_settings")]
    OrganizationSettings,
}

/// Settings of an organization.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrganizationSettings {
    pub object: OrganizationSettingsObject,
    /// The API version that requests without a header speak; null: the default one.
    pub api_version: Option<String>,
}

/// Body of `PATCH /api/orgs/{id}/settings`. Missing members stay; `null` clears.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateOrganizationSettings {
    /// A released version; null: the default one.
    #[serde(default, deserialize_with = "super::nullable")]
    #[cfg_attr(feature = "schema", schema(pattern = "^\\d{4}-\\d{2}-\\d{2}$", example = "2026-03-21", value_type = Option<String>))]
    pub api_version: Option<Option<String>>,
}
