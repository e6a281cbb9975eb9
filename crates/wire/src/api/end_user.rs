//! End-users: the customers of an application.

use std::collections::BTreeMap;

use domain::{AppId, EndUserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::timestamp::Moment;

/// The constant `end_user`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum EndUserObject {
    #[serde(rename = "end_user")]
    EndUser,
}

/// An end-user.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EndUser {
    pub object: EndUserObject,
    pub id: EndUserId,
    pub application_id: AppId,
    pub name: Option<String>,
    pub email: Option<String>,
    pub external_id: Option<String>,
    pub metadata: BTreeMap<String, Value>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

/// Body of `POST /api/end-users`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateEndUser {
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 200, example = "Grace Hopper"))]
    pub name: Option<String>,
    /// Unique within the application.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(format = "email", max_length = 320, example = "grace@customer.example"))]
    pub email: Option<String>,
    /// Your own id of this customer. Unique within the application.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 255, example = "customer-42"))]
    pub external_id: Option<String>,
    /// At most 50 keys of 1 to 40 characters; values are strings up to 500 characters, numbers, booleans or null.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(example = json!({"plan": "pro"})))]
    pub metadata: BTreeMap<String, Value>,
}

/// Body of `PATCH /api/end-users/{id}`. Missing members stay; `null` clears; metadata is merged, `null` removes a key.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateEndUser {
    #[serde(default, deserialize_with = "super::nullable")]
    #[cfg_attr(feature = "schema", schema(max_length = 200, value_type = Option<String>))]
    pub name: Option<Option<String>>,
    #[serde(default, deserialize_with = "super::nullable")]
    #[cfg_attr(feature = "schema", schema(format = "email", max_length = 320, value_type = Option<String>))]
    pub email: Option<Option<String>>,
    #[serde(default, deserialize_with = "super::nullable")]
    #[cfg_attr(feature = "schema", schema(max_length = 255, value_type = Option<String>))]
    pub external_id: Option<Option<String>>,
    #[serde(default)]
    pub metadata: BTreeMap<String, Value>,
}
