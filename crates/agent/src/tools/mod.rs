//! The tools a model is offered: built once, at preflight, and frozen into the run's spec.
//!
//! `definitions` holds the texts and schemas, `schema` the checks of arguments, `own` the tools that the loop carries out.

pub(crate) mod definitions;
pub(crate) mod own;
pub(crate) mod schema;

use std::collections::HashSet;

use domain::PackageName;
use serde_json::Value;
use wire::run_spec::{ToolCarrier, ToolSpec};

/// What decides about an agent's tools.
#[derive(Clone, Copy, Debug)]
pub struct ToolInput<'a> {
    /// JSON Schema of the agent's output, if it declares one.
    pub output_schema: Option<&'a Value>,
    /// The tool packages that the agent depends on, in manifest order. System tools are among them; their
    /// description and schema are replaced by the loop's own.
    pub declared: &'a [DeclaredTool],
    /// Whether at least one provider is connected.
    pub has_providers: bool,
}

/// A tool package as its manifest describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredTool {
    pub package: PackageName,
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments.
    pub parameters: Value,
    /// Where the package stands below `/workspace`.
    pub directory: String,
    /// Relative to `directory`.
    pub entrypoint: String,
}

/// Why a declared tool cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolProblem {
    #[error("{package} names its tool \"{name}\", which another tool of this agent has already")]
    NameTaken { package: PackageName, name: String },
    #[error("{package} names its tool \"{name}\"; a name is 1 to 64 letters, digits, `_` or `-`")]
    InvalidName { package: PackageName, name: String },
}

/// Builds the list of tools: first the loop's own, then the sidecar's, the tool host's, and the agent's packages.
///
/// `output` is offered when the agent has an output schema or declares `@appstrate/output`; `report`, `log`, `set_state` and
/// `add_memory` only when declared; `provider_call` with providers; `run_history` and the file and shell tools always.
///
/// # Errors
/// All problems at once.
pub fn tool_specs(input: &ToolInput<'_>) -> Result<Vec<ToolSpec>, Vec<ToolProblem>> {
    let declares = |package: &str| input.declared.iter().any(|tool| tool.package.as_str() == package);
    let mut tools = Vec::new();
    if input.output_schema.is_some() || declares(definitions::OUTPUT_PACKAGE) {
        tools.push(definitions::output(input.output_schema));
    }
    tools.extend(definitions::SYSTEM_PACKAGES.iter().filter(|(package, _)| declares(package)).map(|(_, define)| define()));
    if input.has_providers {
        tools.push(definitions::provider_call());
    }
    tools.push(definitions::run_history());
    tools.extend(definitions::host_tools());

    let mut taken: HashSet<String> = tools.iter().map(|tool| tool.name.clone()).collect();
    let mut problems = Vec::new();
    for declared in input.declared.iter().filter(|tool| !is_system_package(&tool.package)) {
        let (package, name) = (declared.package.clone(), declared.name.clone());
        if !is_tool_name(&name) {
            problems.push(ToolProblem::InvalidName { package, name });
        } else if taken.insert(name.clone()) {
            tools.push(of_package(declared));
        } else {
            problems.push(ToolProblem::NameTaken { package, name });
        }
    }
    if problems.is_empty() { Ok(tools) } else { Err(problems) }
}

/// Whether the package is one of those that the loop itself carries out.
pub fn is_system_package(package: &PackageName) -> bool {
    package.as_str() == definitions::OUTPUT_PACKAGE || definitions::SYSTEM_PACKAGES.iter().any(|(system, _)| *system == package.as_str())
}

/// What every model vendor accepts as a function name.
fn is_tool_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn of_package(declared: &DeclaredTool) -> ToolSpec {
    ToolSpec {
        name: declared.name.clone(),
        description: declared.description.clone(),
        parameters: declared.parameters.clone(),
        carrier: ToolCarrier::Package {
            package: declared.package.clone(),
            directory: declared.directory.clone(),
            entrypoint: declared.entrypoint.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn declared(package: &str, name: &str) -> DeclaredTool {
        DeclaredTool {
            package: package.parse().expect("name"),
            name: name.to_owned(),
            description: "Does it.".to_owned(),
            parameters: json!({"type": "object"}),
            directory: format!(".pi/tools/{package}"),
            entrypoint: "index.ts".to_owned(),
        }
    }

    fn names(input: &ToolInput<'_>) -> Vec<String> {
        tool_specs(input).expect("no problem").into_iter().map(|tool| tool.name).collect()
    }

    const HOST: [&str; 7] = ["bash", "read", "write", "edit", "ls", "grep", "find"];

    #[test]
    fn an_agent_that_declares_nothing_gets_shell_files_and_history() {
        let input = ToolInput { output_schema: None, declared: &[], has_providers: false };
        assert_eq!(names(&input), [&["run_history"][..], &HOST].concat());
    }

    #[test]
    fn declared_tools_schema_and_providers_add_theirs() {
        let all = [declared("@appstrate/log", "log"), declared("@appstrate/add-memory", "add_memory"), declared("@acme/refund", "refund")];
        let schema = json!({"type": "object"});
        let input = ToolInput { output_schema: Some(&schema), declared: &all, has_providers: true };
        assert_eq!(names(&input), [&["output", "log", "add_memory", "provider_call", "run_history"][..], &HOST, &["refund"]].concat());
        let output_declared = [declared("@appstrate/output", "output")];
        assert_eq!(names(&ToolInput { output_schema: None, declared: &output_declared, has_providers: false })[0], "output");
    }

    #[test]
    fn all_conflicts_are_named_at_once() {
        let all = [declared("@acme/one", "bash"), declared("@acme/two", "no good"), declared("@acme/three", "fine")];
        let problems = tool_specs(&ToolInput { output_schema: None, declared: &all, has_providers: false }).expect_err("conflicts");
        assert_eq!(problems.len(), 2);
        assert!(matches!(&problems[0], ToolProblem::NameTaken { name, .. } if name == "bash"));
        assert!(matches!(&problems[1], ToolProblem::InvalidName { name, .. } if name == "no good"));
    }

    #[test]
    fn every_definition_has_a_schema_that_compiles_and_closes_its_object() {
        let all: Vec<_> = ["output", "report", "log", "set-state", "add-memory"]
            .into_iter()
            .map(|name| declared(&format!("@appstrate/{name}"), &name.replace('-', "_")))
            .collect();
        for tool in tool_specs(&ToolInput { output_schema: None, declared: &all, has_providers: true }).expect("no problem") {
            assert!(schema::compile(&tool.parameters).is_ok(), "{}", tool.name);
            assert_eq!(tool.parameters["additionalProperties"], json!(false), "{}", tool.name);
        }
    }
}
