//! The audit log: rows, the seals over them, and the keys that sign seals.

use domain::{AppId, AuditId, Decision, EndUserId, KeyId, OrgId, RequestId, UserId};
use serde::Serialize;
use serde_json::Value;

use super::timestamp::Moment;

/// The constant `audit_entry`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AuditEntryObject {
    #[serde(rename = "audit_entry")]
    AuditEntry,
}

/// A row of the audit log: who did what for whom, when, with what outcome.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    pub object: AuditEntryObject,
    pub id: AuditId,
    pub organization_id: Option<OrgId>,
    pub application_id: Option<AppId>,
    /// On whose behalf.
    pub end_user_id: Option<EndUserId>,
    pub request_id: RequestId,
    pub api_key_id: Option<KeyId>,
    /// The signed-in user, or the creator of the key.
    pub user_id: Option<UserId>,
    /// What the route asked for; empty when the request reached no route.
    #[cfg_attr(feature = "schema", schema(example = "runs:read"))]
    pub permission: String,
    pub decision: Decision,
    #[cfg_attr(feature = "schema", schema(example = "GET"))]
    pub method: String,
    /// The route's template; empty when there is none.
    #[cfg_attr(feature = "schema", schema(example = "/api/runs/{id}"))]
    pub route: String,
    /// The path as it was sent, without its query.
    pub path: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// The id of what was read or changed.
    pub subject: Option<String>,
    /// What changed; never a secret, and of personal data only the names of the members.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub detail: Value,
    /// The status that was answered.
    #[cfg_attr(feature = "schema", schema(example = 200))]
    pub status: Option<u16>,
    /// The code of the problem that was answered.
    #[cfg_attr(feature = "schema", schema(example = "not_found"))]
    pub code: Option<String>,
    pub created_at: Moment,
    /// `app_…`, or `org_…` for what belongs to no application; null until the row is sealed.
    pub chain: Option<String>,
    /// The number of the seal over the row.
    pub seal: Option<i64>,
    /// The place of the row in its chain, from 1.
    pub position: Option<i64>,
}

/// The constant `audit_seal`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AuditSealObject {
    #[serde(rename = "audit_seal")]
    AuditSeal,
}

/// A signed seal over a stretch of a chain.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditSeal {
    pub object: AuditSealObject,
    pub chain: String,
    /// From 1, without gaps.
    pub number: i64,
    pub organization_id: Option<String>,
    pub application_id: Option<String>,
    pub first_position: i64,
    pub last_position: i64,
    pub row_count: i64,
    /// SHA-256 of the rows in their canonical form, in hexadecimal.
    pub rows_digest: String,
    /// The digest of the seal before; zeros in the first.
    pub previous: String,
    /// SHA-256 of the seal in its canonical form. With the number it pins the whole chain up to here.
    pub digest: String,
    pub key_id: String,
    /// Ed25519 over the 32 bytes of the digest, in base64.
    pub signature: String,
    pub sealed_at: Moment,
}

/// The constant `audit_public_key`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AuditPublicKeyObject {
    #[serde(rename = "audit_public_key")]
    AuditPublicKey,
}

/// A key that seals are checked with.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditPublicKey {
    pub object: AuditPublicKeyObject,
    #[cfg_attr(feature = "schema", schema(example = "ak_0011223344556677"))]
    pub id: String,
    /// Always `Ed25519`.
    #[cfg_attr(feature = "schema", schema(example = "Ed25519"))]
    pub algorithm: String,
    /// 32 bytes in base64.
    pub public_key: String,
    pub created_at: Moment,
}
