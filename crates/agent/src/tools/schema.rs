//! JSON Schema 2020-12 for tool arguments and output.

use jsonschema::Validator;
use serde_json::Value;

/// Problems that are listed at most; a model needs no more to repair its call.
const LISTED_PROBLEMS: usize = 10;
/// A message quotes the value; a large one is cut to this many characters.
const MESSAGE_CHARS: usize = 300;

/// Compiles a schema. References are resolved within it only.
///
/// # Errors
/// A text for the user.
pub(crate) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::draft202012::options().should_validate_formats(true).offline().build(schema).map_err(|error| error.to_string())
}

/// What is wrong with a value, one line per problem, each with its JSON Pointer; empty when it is valid.
pub(crate) fn problems(validator: &Validator, value: &Value) -> Vec<String> {
    let mut lines: Vec<_> = validator.iter_errors(value).take(LISTED_PROBLEMS + 1).map(|error| line(&error)).collect();
    if lines.len() > LISTED_PROBLEMS {
        lines.truncate(LISTED_PROBLEMS);
        lines.push("… and more".to_owned());
    }
    lines
}

fn line(error: &jsonschema::ValidationError<'_>) -> String {
    let path = error.instance_path().as_str();
    let mut message = error.to_string();
    if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARS) {
        message.truncate(end);
        message.push('…');
    }
    format!("- {}: {message}", if path.is_empty() { "(whole value)" } else { path })
}

/// Names of the top-level properties that a schema requires.
pub(crate) fn required(schema: &Value) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).map(|names| names.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// The schema without its top-level `required`: what a part of the value must fit.
pub(crate) fn partial(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(members) = schema.as_object_mut() {
        members.remove("required");
    }
    schema
}

/// The schema as it must read when it stands at `place` (`#/…`) inside another: local references point there.
pub(crate) fn nested(schema: &Value, place: &str) -> Value {
    let mut schema = schema.clone();
    // A schema with its own `$id` stays the base of its references wherever it stands.
    if schema.get("$id").is_none() {
        move_references(&mut schema, place);
    }
    if let Some(members) = schema.as_object_mut() {
        members.remove("$schema");
    }
    schema
}

fn move_references(value: &mut Value, place: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(reference) if name == "$ref" && (reference == "#" || reference.starts_with("#/")) => {
                        reference.replace_range(..1, place);
                    }
                    // Values, not schemas.
                    _ if matches!(name.as_str(), "const" | "enum" | "default" | "examples") => {}
                    member => move_references(member, place),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_references(item, place)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn problems_name_their_place() {
        let validator = compile(&json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["s"]})).expect("compiles");
        let lines = problems(&validator, &json!({"n": "x"}));
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().any(|line| line.starts_with("- /n: ")), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("\"s\" is a required property")), "{lines:?}");
    }

    #[test]
    fn a_flood_of_problems_is_cut() {
        let validator = compile(&json!({"type": "array", "items": {"type": "integer"}})).expect("compiles");
        let lines = problems(&validator, &json!(vec!["x"; 50]));
        assert_eq!((lines.len(), lines.last().map(String::as_str)), (11, Some("… and more")));
    }

    #[test]
    fn local_references_still_resolve_inside_the_tool_schema() {
        let output = json!({"type": "object", "$defs": {"id": {"type": "integer"}}, "properties": {"order": {"$ref": "#/$defs/id"}}});
        let tool = json!({"type": "object", "properties": {"data": nested(&output, "#/properties/data")}});
        let validator = compile(&tool).expect("compiles");
        assert!(validator.is_valid(&json!({"data": {"order": 7}})));
        assert!(!validator.is_valid(&json!({"data": {"order": "seven"}})));
    }

    #[test]
    fn a_remote_reference_is_refused_without_any_request() {
        assert!(compile(&json!({"$ref": "https://schemas.invalid/x.json"})).is_err());
    }
}
