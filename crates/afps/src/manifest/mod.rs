//! `manifest.json`: parsed, checked as a whole, and typed.

mod agent;
mod error;
mod nested;
mod parse;
mod provider;
mod rules;
mod schema;
mod tool;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use domain::PackageName;
use serde_json::{Map, Value};

pub use self::agent::{Agent, FileConstraint, ProviderConfiguration, SchemaWrapper, UiHint};
pub use self::error::{ManifestError, ManifestErrors};
pub use self::provider::{
    AuthMode, Credentials, Definition, OAuth1, OAuth2, Provider, Scope, SetupGuide, SetupStep, TokenAuthMethod, TokenContentType, Transform,
};
pub use self::tool::{Interface, Tool};
use crate::{Range, Version};

/// The largest manifest, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;

/// What a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageType {
    Agent,
    Skill,
    Tool,
    Provider,
}

/// A text that is not a package type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a package type is agent, skill, tool or provider")]
pub struct InvalidPackageType;

impl PackageType {
    pub const ALL: [Self; 4] = [Self::Agent, Self::Skill, Self::Tool, Self::Provider];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Skill => "skill",
            Self::Tool => "tool",
            Self::Provider => "provider",
        }
    }

    /// The value of `$schema` for manifests of this type.
    pub const fn schema_url(self) -> &'static str {
        match self {
            Self::Agent => "https://afps.appstrate.dev/schema/v1/agent.schema.json",
            Self::Skill => "https://afps.appstrate.dev/schema/v1/skill.schema.json",
            Self::Tool => "https://afps.appstrate.dev/schema/v1/tool.schema.json",
            Self::Provider => "https://afps.appstrate.dev/schema/v1/provider.schema.json",
        }
    }
}

impl FromStr for PackageType {
    type Err = InvalidPackageType;

    fn from_str(text: &str) -> Result<Self, InvalidPackageType> {
        Self::ALL.into_iter().find(|package_type| package_type.as_str() == text).ok_or(InvalidPackageType)
    }
}

impl fmt::Display for PackageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A valid manifest. Members that it does not know are kept in [`Manifest::raw`] and in its bytes.
#[derive(Clone, Debug)]
pub struct Manifest {
    bytes: Vec<u8>,
    raw: Map<String, Value>,
    name: PackageName,
    version: Version,
    dependencies: Dependencies,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Agent(Box<Agent>),
    Skill,
    Tool(Box<Tool>),
    Provider(Box<Provider>),
}

/// What a package needs, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Dependencies {
    #[serde(default)]
    pub skills: BTreeMap<PackageName, Range>,
    #[serde(default)]
    pub tools: BTreeMap<PackageName, Range>,
    #[serde(default)]
    pub providers: BTreeMap<PackageName, Range>,
}

impl Dependencies {
    /// All of them with the type that each must have: skills, then tools, then providers, each by name.
    pub fn iter(&self) -> impl Iterator<Item = (PackageType, &PackageName, &Range)> {
        let kinds = [(PackageType::Skill, &self.skills), (PackageType::Tool, &self.tools), (PackageType::Provider, &self.providers)];
        kinds.into_iter().flat_map(|(package_type, map)| map.iter().map(move |(name, range)| (package_type, name, range)))
    }

    pub fn is_empty(&self) -> bool {
        self.skills.is_empty() && self.tools.is_empty() && self.providers.is_empty()
    }
}

impl Manifest {
    /// The exact bytes it was parsed from, or its pretty JSON when it was built from a value.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All members, known and unknown.
    pub fn raw(&self) -> &Map<String, Value> {
        &self.raw
    }

    pub fn name(&self) -> &PackageName {
        &self.name
    }

    pub fn version(&self) -> &Version {
        &self.version
    }

    pub fn package_type(&self) -> PackageType {
        match self.body {
            Body::Agent(_) => PackageType::Agent,
            Body::Skill => PackageType::Skill,
            Body::Tool(_) => PackageType::Tool,
            Body::Provider(_) => PackageType::Provider,
        }
    }

    pub fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }

    /// The name for people; the package's own name where none is given.
    pub fn display_name(&self) -> &str {
        self.text("displayName").filter(|name| !name.is_empty()).unwrap_or_else(|| self.name.name())
    }

    pub fn description(&self) -> Option<&str> {
        self.text("description")
    }

    pub fn author(&self) -> Option<&str> {
        self.text("author")
    }

    pub fn license(&self) -> Option<&str> {
        self.text("license")
    }

    pub fn repository(&self) -> Option<&str> {
        self.text("repository")
    }

    /// The AFPS version the manifest was written for; absent means `1.0`.
    pub fn schema_version(&self) -> &str {
        self.text("schemaVersion").unwrap_or("1.0")
    }

    pub fn keywords(&self) -> Vec<&str> {
        self.raw.get("keywords").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The agent's own part; `None` for other types. The same for the three below.
    pub fn agent(&self) -> Option<&Agent> {
        if let Body::Agent(agent) = &self.body { Some(agent) } else { None }
    }

    pub fn tool(&self) -> Option<&Tool> {
        if let Body::Tool(tool) = &self.body { Some(tool) } else { None }
    }

    pub fn provider(&self) -> Option<&Provider> {
        if let Body::Provider(provider) = &self.body { Some(provider) } else { None }
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.raw.get(member).and_then(Value::as_str)
    }
}

/// Equal where all members are; the bytes may differ in layout.
impl PartialEq for Manifest {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
