//! What only an agent's manifest has.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::PackageName;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The agent's part of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// The input of a run; `None`: the agent takes none.
    pub input: Option<SchemaWrapper>,
    /// The result of a run; `None`: any object.
    pub output: Option<SchemaWrapper>,
    /// The settings of an installation.
    pub config: Option<SchemaWrapper>,
    #[serde(default)]
    pub providers_configuration: BTreeMap<PackageName, ProviderConfiguration>,
    timeout: Option<f64>,
}

impl Agent {
    /// The wall-clock time the agent asks for; `None`: the platform's default. The platform's ceiling comes on top.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    /// The scopes that the agent needs from a provider's connection; empty: none in particular.
    pub fn required_scopes(&self, provider: &PackageName) -> &[String] {
        self.providers_configuration.get(provider).map_or(&[], |configuration| &configuration.scopes)
    }
}

/// A JSON Schema of draft 2020-12 (an object with `properties`) and what a form needs to show it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaWrapper {
    pub schema: Value,
    #[serde(default)]
    pub file_constraints: BTreeMap<String, FileConstraint>,
    #[serde(default)]
    pub ui_hints: BTreeMap<String, UiHint>,
    #[serde(default)]
    pub property_order: Vec<String>,
}

/// What a file of an input property must be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileConstraint {
    /// As HTML's `accept`: extensions and media types, separated by commas.
    pub accept: Option<String>,
    /// In bytes.
    pub max_size: Option<f64>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// How a form shows an input property.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct UiHint {
    pub placeholder: Option<String>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What an agent asks of a provider.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ProviderConfiguration {
    #[serde(default)]
    pub scopes: Vec<String>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
