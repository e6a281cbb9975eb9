//! `## User Input` and `## Configuration`: every declared field, set or not, and every value that nobody declared.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::tools::one_line;
use super::{Fields, data};

pub(super) fn section(heading: &str, source: &str, fields: &Fields<'_>) -> Option<String> {
    let lines = lines(fields);
    (!lines.is_empty()).then(|| format!("{heading}\n\n{}", data::block(source, &lines.join("\n"))))
}

fn lines(fields: &Fields<'_>) -> Vec<String> {
    let empty = Map::new();
    let declared = fields.schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object).unwrap_or(&empty);
    let values = fields.values.as_object().unwrap_or(&empty);
    let required: BTreeSet<_> = fields
        .schema
        .and_then(|schema| schema.get("required"))
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();

    let ordered = fields.order.iter().filter(|name| declared.contains_key(*name));
    let rest = declared.keys().filter(|name| !fields.order.contains(name));
    let mut lines: Vec<_> = ordered
        .chain(rest)
        .filter_map(|name| Some((name, declared.get(name).filter(|property| !is_file(property))?)))
        .map(|(name, property)| {
            let need = if required.contains(name.as_str()) { "required" } else { "optional" };
            let description = property.get("description").and_then(Value::as_str).map(|text| format!(": {}", one_line(text)));
            format!("- {} ({}, {need}){} — {}", one_line(name), kind(property), description.unwrap_or_default(), shown(values.get(name)))
        })
        .collect();
    let undeclared = values.iter().filter(|(name, _)| !declared.contains_key(*name));
    lines.extend(undeclared.map(|(name, value)| format!("- {} — {}", one_line(name), shown(Some(value)))));
    lines
}

/// JSON on one line: a string cannot end its bullet, an object shows its contents.
fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "(not set)".to_owned(), Value::to_string)
}

fn kind(property: &Value) -> String {
    match property.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    }
}

/// AFPS file fields: `format: uri` with a `contentMediaType`, or an array of such. Their files are listed as documents.
fn is_file(property: &Value) -> bool {
    let is_one = |schema: &Value| schema.get("format").is_some_and(|format| format == "uri") && schema.get("contentMediaType").is_some();
    is_one(property) || property.get("items").is_some_and(is_one)
}
