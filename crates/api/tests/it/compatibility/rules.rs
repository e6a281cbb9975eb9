//! What breaks a client between two documents of one version: operations, parameters, answers.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::schemas::{Comparison, Way};

/// An old and a new document.
#[derive(Clone, Copy)]
pub(super) struct Documents<'d> {
    pub(super) old: &'d Value,
    pub(super) new: &'d Value,
}

/// Every break, as a line with the operation and the place.
pub(super) fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let documents = Documents { old, new };
    let mut broken = Vec::new();
    for (path, methods) in object(&old["paths"]) {
        for (method, operation) in object(methods) {
            let at = format!("{} {path}", method.to_uppercase());
            match new["paths"].get(path).and_then(|methods| methods.get(method)) {
                Some(current) => compare(documents, &at, (operation, current), &mut broken),
                None => broken.push(format!("{at}: the operation is gone")),
            }
        }
    }
    broken
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The value behind a reference into its document, or the value itself.
pub(super) fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => resolve(document, document.pointer(pointer).unwrap_or(&Value::Null)),
        None => value,
    }
}

fn compare(documents: Documents<'_>, at: &str, (old, new): (&Value, &Value), broken: &mut Vec<String>) {
    for name in ["operationId", "x-permission", "x-level", "security"] {
        if old[name] != new[name] {
            broken.push(format!("{at}: {name} was {} and is {}", old[name], new[name]));
        }
    }
    parameters(documents, at, (old, new), broken);
    request(documents, at, (old, new), broken);
    responses(documents, at, (old, new), broken);
}

/// Parameters by place and name.
fn by_name<'d>(document: &'d Value, operation: &'d Value) -> BTreeMap<String, &'d Value> {
    let list = operation["parameters"].as_array().into_iter().flatten().map(|parameter| resolve(document, parameter));
    let name = |parameter: &Value| {
        let (place, name) = (parameter["in"].as_str().unwrap_or_default(), parameter["name"].as_str().unwrap_or_default());
        // Header names have no case.
        if place == "header" { format!("header {}", name.to_lowercase()) } else { format!("{place} {name}") }
    };
    list.map(|parameter| (name(parameter), parameter)).collect()
}

fn parameters(documents: Documents<'_>, at: &str, (old, new): (&Value, &Value), broken: &mut Vec<String>) {
    let (old, new) = (by_name(documents.old, old), by_name(documents.new, new));
    for (name, parameter) in &old {
        match new.get(name) {
            None => broken.push(format!("{at}: the parameter {name} is gone")),
            Some(current) => {
                Comparison::new(documents, Way::Sent, format!("{at}, {name}"), broken).schema(&parameter["schema"], &current["schema"]);
            }
        }
    }
    for (name, parameter) in &new {
        let was_required = old.get(name).is_some_and(|parameter| parameter["required"] == true);
        if parameter["required"] == true && !was_required {
            broken.push(format!("{at}: the parameter {name} became required"));
        }
    }
}

fn request(documents: Documents<'_>, at: &str, (old, new): (&Value, &Value), broken: &mut Vec<String>) {
    let (old, new) = (resolve(documents.old, &old["requestBody"]), resolve(documents.new, &new["requestBody"]));
    if new["required"] == true && old["required"] != true {
        broken.push(format!("{at}: the body became required"));
    }
    for (media_type, content) in object(&old["content"]) {
        match new["content"].get(media_type) {
            None => broken.push(format!("{at}: the body may no longer be {media_type}")),
            Some(current) => {
                Comparison::new(documents, Way::Sent, format!("{at}, body"), broken).schema(&content["schema"], &current["schema"]);
            }
        }
    }
}

fn responses(documents: Documents<'_>, at: &str, (old, new): (&Value, &Value), broken: &mut Vec<String>) {
    for (status, response) in object(&old["responses"]) {
        let at = format!("{at}, {status}");
        let Some(current) = new["responses"].get(status) else {
            broken.push(format!("{at}: the answer is gone"));
            continue;
        };
        let (response, current) = (resolve(documents.old, response), resolve(documents.new, current));
        for (name, _) in object(&response["headers"]) {
            if current["headers"].get(name).is_none() {
                broken.push(format!("{at}: the header {name} is gone"));
            }
        }
        for (media_type, content) in object(&response["content"]) {
            match current["content"].get(media_type) {
                None => broken.push(format!("{at}: the answer is no longer {media_type}")),
                Some(now) => Comparison::new(documents, Way::Received, at.clone(), broken).schema(&content["schema"], &now["schema"]),
            }
        }
    }
    // A client takes any 2xx for the one it knows.
    for (status, _) in object(&new["responses"]).filter(|(status, _)| status.starts_with('2')) {
        if old["responses"].get(status).is_none() {
            broken.push(format!("{at}: success may now also be {status}"));
        }
    }
}
