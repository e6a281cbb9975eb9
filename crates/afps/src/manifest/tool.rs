//! What only a tool's manifest has.

use serde::Deserialize;
use serde_json::Value;

/// The tool's part of a manifest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Tool {
    /// The module to load, a path within the package.
    pub entrypoint: String,
    #[serde(rename = "tool")]
    pub interface: Interface,
}

/// What the model sees of the tool.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interface {
    /// `[A-Za-z0-9_-]`, 1 to 64 characters.
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments, an object.
    pub input_schema: Value,
}
