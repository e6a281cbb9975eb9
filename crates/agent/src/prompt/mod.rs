//! The prompt of a run: sections in the order users know, each a pure function that returns its text or nothing.
//!
//! All of it is system text, once; the user message only starts the work. What people or services outside the agent's author can
//! influence (input, documents, provider texts, state, memories) stands in data blocks, see [`data`].

pub(crate) mod data;
mod documents;
mod environment;
mod fields;
mod memory;
mod providers;
mod skills;
mod state;
mod tools;

use std::time::Duration;

use domain::{PackageName, Timestamp};
use serde_json::Value;
use wire::run_spec::{Egress, Prompt, ProviderSpec};

/// Everything that enters a prompt.
#[derive(Clone, Copy, Debug)]
pub struct PromptInput<'a> {
    /// The run's time.
    pub timeout: Duration,
    pub egress: &'a Egress,
    /// Declared tools, in manifest order.
    pub tools: &'a [ToolText],
    pub skills: &'a [SkillText],
    /// Connected providers.
    pub providers: &'a [ProviderText],
    pub input: Fields<'a>,
    pub documents: &'a [Document],
    pub config: Fields<'a>,
    pub previous_state: Option<&'a Value>,
    /// Oldest first.
    pub memories: &'a [MemoryText],
    /// The agent's `prompt.md`, as it is.
    pub prompt: &'a str,
}

/// A declared tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolText {
    pub name: String,
    pub description: String,
    /// Contents of `TOOL.md`.
    pub guide: Option<String>,
}

/// A skill; its `SKILL.md` stands under `.pi/skills/<package>/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillText {
    pub package: PackageName,
    /// From the frontmatter; empty: none.
    pub description: String,
}

/// A connected provider.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderText {
    pub spec: ProviderSpec,
    /// Whether `.pi/providers/<id>/PROVIDER.md` exists.
    pub has_guide: bool,
    pub docs_url: Option<String>,
    /// Descriptions of `spec.template_fields`, by name; a field may have none.
    pub field_descriptions: Vec<(String, String)>,
}

/// Values with the schema that declares them.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    pub schema: Option<&'a Value>,
    /// The order in which the manifest wants them shown; others follow by name.
    pub order: &'a [String],
    /// An object, or null.
    pub values: &'a Value,
}

/// An uploaded file, as it stands in the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub name: String,
    pub mime_type: String,
    pub size_bytes: u64,
    /// Below the workspace: `documents/…`.
    pub path: String,
}

/// A memory with its date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryText {
    pub key: Option<String>,
    pub text: String,
    pub updated_at: Timestamp,
}

/// Assembles the prompt.
pub fn assemble(input: &PromptInput<'_>) -> Prompt {
    let sections = [
        Some(environment::identity()),
        Some(environment::section(input)),
        tools::list(input.tools),
        tools::guides(input.tools),
        skills::section(input.skills),
        providers::section(input.providers),
        fields::section("## User Input", "input", &input.input),
        documents::section(input.documents),
        fields::section("## Configuration", "configuration", &input.config),
        state::section(input.previous_state),
        memory::section(input.memories),
        Some(memory::run_history().to_owned()),
        Some(format!("---\n\n{}", input.prompt.trim_end())),
    ];
    let system = sections.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    Prompt { system, user: "Carry out the task described at the end of your instructions.".to_owned() }
}

#[cfg(test)]
mod tests;
