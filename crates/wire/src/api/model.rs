//! Language models and the keys of their vendors.

use domain::{ModelId, ProviderKeyId, Secret, UserId};
use serde::{Deserialize, Serialize};

use super::timestamp::Moment;
use crate::run_spec::Price;

/// The constant `model`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ModelObject {
    #[serde(rename = "model")]
    Model,
}

/// A configured model.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Model {
    pub object: ModelObject,
    pub id: ModelId,
    pub label: String,
    /// `openai-completions`, `openai-responses` or `anthropic-messages`.
    pub api: String,
    pub base_url: String,
    /// The vendor's name of the model.
    pub model_id: String,
    pub provider_key_id: Option<ProviderKeyId>,
    pub context_window: u64,
    pub max_tokens: u64,
    pub reasoning: bool,
    /// `text`, `image`.
    pub input: Vec<String>,
    #[cfg_attr(feature = "schema", schema(value_type = Option<Cost>))]
    pub cost: Option<Price>,
    pub enabled: bool,
    pub is_default: bool,
    pub created_by: Option<UserId>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

/// Dollars for a million tokens.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cost {
    #[cfg_attr(feature = "schema", schema(minimum = 0))]
    pub input: f64,
    #[cfg_attr(feature = "schema", schema(minimum = 0))]
    pub output: f64,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(minimum = 0))]
    pub cache_read: f64,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(minimum = 0))]
    pub cache_write: f64,
}

/// Body of `POST /api/models`. The first model of an organization becomes its default.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateModel {
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100, example = "GPT"))]
    pub label: String,
    #[cfg_attr(
        feature = "schema",
        schema(pattern = "^(openai-completions|openai-responses|anthropic-messages)$", example = "openai-completions")
    )]
    pub api: String,
    /// Up to the version segment, without a trailing slash.
    #[cfg_attr(feature = "schema", schema(format = "uri", max_length = 2048, example = "https://api.openai.com/v1"))]
    pub base_url: String,
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 200, example = "gpt-5"))]
    pub model_id: String,
    #[serde(default)]
    pub provider_key_id: Option<ProviderKeyId>,
    /// Tokens; default 128000.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(minimum = 1024, maximum = 100_000_000))]
    pub context_window: Option<u64>,
    /// Tokens of one answer; default 16384.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 10_000_000))]
    pub max_tokens: Option<u64>,
    #[serde(default)]
    pub reasoning: bool,
    /// `text` and `image`; default `["text"]`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_items = 2))]
    pub input: Vec<String>,
    #[serde(default)]
    pub cost: Option<Cost>,
}

/// Body of `PATCH /api/models/{id}`. Missing members stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateModel {
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = String, required = false, min_length = 1, max_length = 100, example = "GPT"))]
    pub label: Option<String>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(
        feature = "schema",
        schema(value_type = String, required = false, pattern = "^(openai-completions|openai-responses|anthropic-messages)$", example = "openai-completions")
    )]
    pub api: Option<String>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = String, required = false, format = "uri", max_length = 2048, example = "https://api.openai.com/v1"))]
    pub base_url: Option<String>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = String, required = false, min_length = 1, max_length = 200, example = "gpt-5"))]
    pub model_id: Option<String>,
    /// `null`: the server wants no key.
    #[serde(default, deserialize_with = "super::nullable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<ProviderKeyId>))]
    pub provider_key_id: Option<Option<ProviderKeyId>>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = u64, required = false, minimum = 1024, maximum = 100_000_000))]
    pub context_window: Option<u64>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = u64, required = false, minimum = 1, maximum = 10_000_000))]
    pub max_tokens: Option<u64>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = bool, required = false))]
    pub reasoning: Option<bool>,
    /// `text` and `image`.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>, required = false, max_items = 2))]
    pub input: Option<Vec<String>>,
    /// `null`: the price is unknown.
    #[serde(default, deserialize_with = "super::nullable")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Cost>))]
    pub cost: Option<Option<Cost>>,
    /// Runs that name a disabled model are refused.
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = bool, required = false))]
    pub enabled: Option<bool>,
}

/// Body of `PUT /api/models/default`, and its answer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefaultModel {
    /// Null: there is no default.
    #[serde(deserialize_with = "super::required_nullable")]
    #[cfg_attr(feature = "schema", schema(required))]
    pub model_id: Option<ModelId>,
}

/// The constant `provider_key`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ProviderKeyObject {
    #[serde(rename = "provider_key")]
    ProviderKey,
}

/// A stored vendor key, without the key.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProviderKey {
    pub object: ProviderKeyObject,
    pub id: ProviderKeyId,
    pub label: String,
    /// The protocol that the key is for.
    pub api: String,
    pub base_url: String,
    pub created_by: Option<UserId>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

/// Body of `POST /api/provider-keys`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateProviderKey {
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100, example = "OpenAI production"))]
    pub label: String,
    #[cfg_attr(
        feature = "schema",
        schema(pattern = "^(openai-completions|openai-responses|anthropic-messages)$", example = "openai-completions")
    )]
    pub api: String,
    #[cfg_attr(feature = "schema", schema(format = "uri", max_length = 2048, example = "https://api.openai.com/v1"))]
    pub base_url: String,
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 1, max_length = 4096, example = "sk-YOUR-KEY"))]
    pub api_key: Secret,
}

/// Body of `PATCH /api/provider-keys/{id}`. Missing members stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateProviderKey {
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = String, required = false, min_length = 1, max_length = 100, example = "OpenAI production"))]
    pub label: Option<String>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(
        feature = "schema",
        schema(value_type = String, required = false, pattern = "^(openai-completions|openai-responses|anthropic-messages)$", example = "openai-completions")
    )]
    pub api: Option<String>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = String, required = false, format = "uri", max_length = 2048, example = "https://api.openai.com/v1"))]
    pub base_url: Option<String>,
    #[serde(default, deserialize_with = "super::present")]
    #[cfg_attr(feature = "schema", schema(value_type = String, required = false, min_length = 1, max_length = 4096, example = "sk-YOUR-KEY"))]
    pub api_key: Option<Secret>,
}
