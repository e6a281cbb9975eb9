//! API keys.

use domain::{AppId, KeyId, UserId};
use serde::{Deserialize, Serialize};

use super::timestamp::Moment;

/// The constant `api_key`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ApiKeyObject {
    #[serde(rename = "api_key")]
    ApiKey,
}

/// An API key, without its secret.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    pub object: ApiKeyObject,
    pub id: KeyId,
    pub application_id: AppId,
    pub name: String,
    /// The first eight characters of the secret, to recognize it by.
    pub key_prefix: String,
    pub scopes: Vec<String>,
    pub created_by: UserId,
    pub expires_at: Option<Moment>,
    pub last_used_at: Option<Moment>,
    pub revoked_at: Option<Moment>,
    pub created_at: Moment,
}

/// A new API key: the only answer that ever holds the secret.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreatedApiKey {
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// The secret, `ask_…`. Shown once.
    pub key: String,
}

/// Body of `POST /api/api-keys`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateApiKey {
    /// 1 to 100 characters.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100, example = "Production backend"))]
    pub name: String,
    /// Left out or empty: every permission of the creator that is not an organization-wide write.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_items = 64, example = json!(["agents:run", "runs:read"])))]
    pub scopes: Vec<String>,
    /// In the future; left out or null: the key does not expire.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    pub expires_at: Option<String>,
}

/// Body of `PATCH /api/api-keys/{id}`. Missing members stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateApiKey {
    /// 1 to 100 characters.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100, value_type = String, required = false))]
    pub name: Option<String>,
    /// In the future; null: the key does not expire.
    #[serde(default, deserialize_with = "super::nullable")]
    #[cfg_attr(feature = "schema", schema(format = "date-time", value_type = Option<String>))]
    pub expires_at: Option<Option<String>>,
    /// What remains of the key's scopes, at least one; none can be added.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(min_items = 1, max_items = 64, example = json!(["runs:read"]), value_type = Vec<String>, required = false))]
    pub scopes: Option<Vec<String>>,
}

/// The constant `available_scopes`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AvailableScopesObject {
    #[serde(rename = "available_scopes")]
    AvailableScopes,
}

/// What the caller may give to a key.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AvailableScopes {
    pub object: AvailableScopesObject,
    /// Every scope that may be listed.
    pub scopes: Vec<String>,
    /// Those among them that a key gets which lists none.
    pub default_scopes: Vec<String>,
}
