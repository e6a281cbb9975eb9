//! Outbound proxies.

use domain::{ProxyChoice, ProxyRef, Secret, UserId};
use serde::{Deserialize, Serialize};

use super::timestamp::Moment;

/// The constant `proxy`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ProxyObject {
    #[serde(rename = "proxy")]
    Proxy,
}

/// Where a proxy comes from.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ProxySource {
    /// From the server's configuration; it cannot be changed here.
    BuiltIn,
    Custom,
}

/// An outbound proxy.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Proxy {
    pub object: ProxyObject,
    /// `prx_…`, or the name of a built-in one.
    pub id: ProxyRef,
    pub label: String,
    /// The address with its password, or a user name without one, as `***`, cut to 60 characters.
    pub url_prefix: String,
    pub enabled: bool,
    /// Whether runs that choose nothing go through it.
    pub is_default: bool,
    pub source: ProxySource,
    pub created_by: Option<UserId>,
    /// Null for a built-in one.
    pub created_at: Option<Moment>,
    /// Null for a built-in one.
    pub updated_at: Option<Moment>,
}

/// Body of `POST /api/proxies`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateProxy {
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100, example = "Frankfurt exit"))]
    pub label: String,
    /// `http`, `https` or `socks5`, host, port, and perhaps user and password (percent-encoded). Kept sealed.
    #[cfg_attr(
        feature = "schema",
        schema(value_type = String, format = "uri", min_length = 1, max_length = 2048, example = "http://user:password@proxy.example.com:8080")
    )]
    pub url: Secret,
}

/// Body of `PATCH /api/proxies/{id}`. Missing members stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateProxy {
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = String, required = false, min_length = 1, max_length = 100, example = "Frankfurt exit"))]
    pub label: Option<String>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(
        feature = "schema",
        schema(value_type = String, required = false, format = "uri", min_length = 1, max_length = 2048, example = "socks5://user:password@proxy.example.com:1080")
    )]
    pub url: Option<Secret>,
    /// Runs that name a disabled proxy are refused; they never go out directly instead.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = bool, required = false))]
    pub enabled: Option<bool>,
}

/// Body of `PUT /api/proxies/default`, and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefaultProxy {
    /// An id, `"none"` for a direct connection, or null for the server's own default.
    #[serde(deserialize_with = "super::required_nullable")]
    #[cfg_attr(feature = "schema", schema(required))]
    pub proxy_id: Option<ProxyChoice>,
}
