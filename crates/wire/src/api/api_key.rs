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
