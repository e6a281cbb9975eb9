//! The run's tools by name, with the checks of their arguments.

use std::collections::HashMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;
use wire::message::ToolCall;
use wire::run_spec::{ToolCarrier, ToolSpec};

use crate::tools::schema;

pub(super) struct Toolbox<'a> {
    tools: HashMap<&'a str, Entry<'a>>,
}

struct Entry<'a> {
    spec: &'a ToolSpec,
    /// Compiled at first use; `None`: the package's schema is none, so its tool checks for itself.
    validator: OnceLock<Option<Validator>>,
}

impl<'a> Toolbox<'a> {
    pub(super) fn new(tools: &'a [ToolSpec]) -> Self {
        Self { tools: tools.iter().map(|spec| (spec.name.as_str(), Entry { spec, validator: OnceLock::new() })).collect() }
    }

    /// Finds the tool of a call and checks the arguments.
    ///
    /// # Errors
    /// What the model should read to repair its call.
    pub(super) fn check(&self, call: &ToolCall) -> Result<&'a ToolSpec, String> {
        let Some(entry) = self.tools.get(call.name.as_str()) else {
            let mut names: Vec<_> = self.tools.keys().copied().collect();
            names.sort_unstable();
            return Err(format!("There is no tool \"{}\". The tools are: {}.", call.name, names.join(", ")));
        };
        match &call.arguments {
            Value::Object(_) => {}
            Value::String(text) => {
                return Err(format!("The arguments are no complete JSON object. What arrived ends with: {}", ending(text)));
            }
            _ => return Err("The arguments must be a JSON object.".to_owned()),
        }
        // `output` checks its data after merging, with a better answer.
        if entry.spec.carrier == ToolCarrier::Loop && call.name == "output" {
            return Ok(entry.spec);
        }
        let validator = entry.validator.get_or_init(|| {
            schema::compile(&entry.spec.parameters)
                .inspect_err(|problem| tracing::warn!(tool = call.name, problem, "the argument schema of a tool does not compile"))
                .ok()
        });
        let problems = validator.as_ref().map(|validator| schema::problems(validator, &call.arguments)).unwrap_or_default();
        if problems.is_empty() {
            Ok(entry.spec)
        } else {
            Err(format!("The arguments do not fit the tool's schema. Repair them and call again:\n{}", problems.join("\n")))
        }
    }
}

fn ending(text: &str) -> String {
    const CHARS: usize = 80;
    let start = text.char_indices().rev().nth(CHARS - 1).map_or(0, |(position, _)| position);
    format!("{:?}", &text[start..])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tools::{ToolInput, tool_specs};

    fn check(name: &str, arguments: Value) -> Result<String, String> {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
        let specs = tool_specs(&ToolInput { output_schema: Some(&schema), declared: &[], has_providers: false }).expect("no conflict");
        let call = ToolCall { id: "1".to_owned(), name: name.to_owned(), arguments };
        Toolbox::new(&specs).check(&call).map(|spec| spec.name.clone())
    }

    #[test]
    fn answers_help_the_model_to_repair() {
        assert_eq!(check("read", json!({"path": "a"})).as_deref(), Ok("read"));
        assert!(check("reed", json!({})).expect_err("unknown").contains("bash, edit, find, grep, ls, output, read, run_history, write"));
        assert!(check("read", json!({"paht": "a"})).expect_err("invalid").contains("path"));
        assert!(check("read", json!("{\"path\": \"a")).expect_err("cut").contains("path"));
        assert!(check("read", json!(7)).is_err());
    }

    #[test]
    fn a_wrong_output_reaches_its_own_check() {
        assert_eq!(check("output", json!({"data": {"n": "x"}})).as_deref(), Ok("output"));
    }
}
