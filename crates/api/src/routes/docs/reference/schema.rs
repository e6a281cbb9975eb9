//! The members of a body as a table, and a schema's name in a few words.

use serde_json::Value;

use super::{escape, prose, put, resolve};

/// The members of an object, with those of the objects in it.
pub(super) fn members(page: &mut String, document: &Value, schema: &Value) {
    page.push_str("<table><tr><th>Member</th><th>Type</th><th></th></tr>");
    rows(page, document, schema, "", 3);
    page.push_str("</table>");
}

fn rows(page: &mut String, document: &Value, schema: &Value, prefix: &str, depth: u8) {
    let schema = resolve(document, schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        rows(page, document, part, prefix, depth);
    }
    let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name));
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let whole = resolve(document, told(member));
        let description = [member, told(member), whole].into_iter().find_map(|schema| schema["description"].as_str()).unwrap_or_default();
        let must = if required(name) { ", required" } else { "" };
        put(
            page,
            format_args!(
                "<tr><td><code>{prefix}{}</code></td><td>{}{must}{}</td><td>{}</td></tr>",
                escape(name),
                escape(&name_of(whole)),
                bounds(whole),
                prose(description)
            ),
        );
        if depth > 0 && whole["properties"].is_object() {
            rows(page, document, whole, &format!("{prefix}{name}."), depth - 1);
        }
    }
}

/// The schema of a nullable reference, without `null`.
fn told(schema: &Value) -> &Value {
    let choice = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    choice.and_then(|choice| choice.iter().find(|schema| schema["type"] != "null")).unwrap_or(schema)
}

pub(super) fn name_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().replace('_', " of ");
    }
    if let Some(choices) = schema["enum"].as_array() {
        return choices.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
    }
    let named = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ if told(schema) != schema => return name_of(told(schema)),
        _ => "any".to_owned(),
    };
    match (named.as_str(), schema["format"].as_str()) {
        ("array", _) => format!("array of {}", name_of(&schema["items"])),
        (_, Some(format)) if !matches!(format, "int64" | "int32" | "double") => format!("{named} ({format})"),
        _ => named,
    }
}

fn bounds(schema: &Value) -> String {
    let of = |least: &str, most: &str, unit: &str| match (schema[least].as_i64(), schema[most].as_i64()) {
        (Some(least), Some(most)) => format!(", {least} to {most}{unit}"),
        (None, Some(most)) => format!(", at most {most}{unit}"),
        (Some(least), None) if least > 0 => format!(", at least {least}{unit}"),
        _ => String::new(),
    };
    [of("minimum", "maximum", ""), of("minLength", "maxLength", " characters"), of("minItems", "maxItems", " items")].concat()
}
