//! Packages: agents, skills, tools and providers.

use domain::{PackageName, UserId, VersionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::timestamp::Moment;

/// What a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PackageType {
    Agent,
    Skill,
    Tool,
    Provider,
}

/// Where a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PackageSource {
    /// Published by an organization.
    Local,
    /// Part of the platform, visible to all.
    System,
}

/// The constant `package`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum PackageObject {
    #[serde(rename = "package")]
    Package,
}

/// A package in a list, described by its newest version.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PackageSummary {
    pub object: PackageObject,
    pub id: PackageName,
    pub r#type: PackageType,
    pub source: PackageSource,
    pub display_name: Option<String>,
    pub description: Option<String>,
    /// The newest version that is not a prerelease, else the newest.
    pub version: String,
    pub created_at: Moment,
    pub updated_at: Moment,
}

/// A package with the contents of its newest version.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Package {
    #[serde(flatten)]
    pub summary: PackageSummary,
    pub manifest: Value,
    /// `prompt.md`, `SKILL.md`, `TOOL.md` or `PROVIDER.md`.
    pub content: Option<String>,
    pub versions: Vec<PackageVersion>,
}

/// One published version. Its bytes never change.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PackageVersion {
    pub id: VersionId,
    pub version: String,
    /// `sha256-<base64>` of the archive.
    pub integrity: String,
    /// Bytes of the archive.
    pub size_bytes: u64,
    pub created_by: Option<UserId>,
    pub created_at: Moment,
}

/// Body of `POST /api/packages/agents` and `POST /api/packages/providers`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreatePackage {
    /// The AFPS manifest. Its `version` is published.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub manifest: Value,
    /// The prompt of an agent (required), the documentation of a provider.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 500_000))]
    pub content: Option<String>,
}
