//! Packages installed in an application, with its overrides.

use domain::{AppId, ModelId, PackageName, ProxyChoice};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::package::PackageType;
use super::timestamp::Moment;

/// The constant `application_package`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ApplicationPackageObject {
    #[serde(rename = "application_package")]
    ApplicationPackage,
}

/// A package installed in an application.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApplicationPackage {
    pub object: ApplicationPackageObject,
    pub application_id: AppId,
    pub package_id: PackageName,
    pub r#type: PackageType,
    /// The pinned version; null: the newest.
    pub version: Option<String>,
    pub config: Value,
    /// Overrides the organization's default model.
    pub model_id: Option<ModelId>,
    /// Overrides the default proxy; `"none"` is a direct connection.
    pub proxy_id: Option<ProxyChoice>,
    pub enabled: bool,
    pub installed_at: Moment,
    pub updated_at: Moment,
}

/// Body of `POST /api/applications/{id}/packages`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstallPackage {
    pub package_id: PackageName,
    /// Checked against the agent's config schema.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub config: Option<Value>,
}

/// Body of `PUT /api/applications/{id}/packages/{scope}/{name}`. Missing members stay; `null` clears an override.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigurePackage {
    /// Replaces the whole configuration; an empty object clears it.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = Object, required = false))]
    pub config: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "super::nullable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<ModelId>))]
    pub model_id: Option<Option<ModelId>>,
    /// A proxy of the organization or of the server, or `"none"` for a direct connection.
    #[serde(default, deserialize_with = "super::nullable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<ProxyChoice>))]
    pub proxy_id: Option<Option<ProxyChoice>>,
    /// An exact version, a dist-tag or a range.
    #[serde(default, deserialize_with = "super::nullable")]
    #[cfg_attr(feature = "schema", schema(max_length = 256, value_type = Option<String>))]
    pub version: Option<Option<String>>,
    /// A disabled agent neither lists nor runs.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = bool, required = false))]
    pub enabled: Option<bool>,
}
