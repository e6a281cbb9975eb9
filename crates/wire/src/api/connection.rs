//! Connections: credentials of a provider, owned by a user, an end-user or the application.

use std::collections::BTreeMap;

use domain::{ConnectionId, PackageName, ProfileId, Secret};
use serde::{Deserialize, Serialize};

use super::timestamp::Moment;

/// The constant `connection`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ConnectionObject {
    #[serde(rename = "connection")]
    Connection,
}

/// A connection, without its credentials.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    pub object: ConnectionObject,
    pub id: ConnectionId,
    pub provider: PackageName,
    pub profile_id: ProfileId,
    /// Who owns it: `user`, `end_user`, `application` or `organization`.
    pub owner: ConnectionOwner,
    pub status: ConnectionStatus,
    /// As in the provider's definition: `api_key`, `basic` or `custom`.
    pub auth_mode: String,
    pub created_at: Moment,
    pub updated_at: Moment,
}

/// Who a connection belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionOwner {
    User,
    EndUser,
    Application,
    Organization,
}

/// Whether a connection can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    Connected,
    NeedsReconnection,
}

/// Body of `POST /api/connections/connect/{scope}/{name}/api-key`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectApiKey {
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 1, max_length = 8192, example = "key-…"))]
    pub api_key: Secret,
}

/// Body of `POST /api/connections/connect/{scope}/{name}/credentials`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectCredentials {
    /// As the provider's credential schema demands.
    #[cfg_attr(feature = "schema", schema(value_type = BTreeMap<String, String>, example = json!({"username": "ada", "password": "…"})))]
    pub credentials: BTreeMap<String, Secret>,
}
