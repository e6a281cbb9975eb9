//! An example for every JSON body, composed from its schema: a member's own example where it has one, else one for its name, its format
//! or its type. A route writes an example of its own only where that says more.

use serde_json::{Map, Value, json};

/// How deep an example goes; schemas may contain themselves.
const DEPTH: u8 = 8;

/// Adds the examples that are missing.
pub(super) fn complete(document: &mut Value) {
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let composer = Composer { schemas: &schemas };
    let operations = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in operations.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
        if let Some(body) = operation.get_mut("requestBody") {
            composer.content(body);
        }
        for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            if status.starts_with('2') {
                composer.content(response);
            }
        }
    }
}

struct Composer<'d> {
    schemas: &'d Map<String, Value>,
}

impl Composer<'_> {
    /// The example of a body, where it is JSON and has none.
    fn content(&self, body: &mut Value) {
        let Some(media) = body.get_mut("content").and_then(|content| content.get_mut("application/json")) else { return };
        if media.get("example").is_none() && media.get("examples").is_none() {
            media["example"] = self.example(&media["schema"], "", DEPTH);
        }
    }

    /// A value that fits `schema`, which describes a member of this name.
    fn example(&self, schema: &Value, name: &str, depth: u8) -> Value {
        if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)).or_else(|| schema.get("const")) {
            return example.clone();
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let named = reference.rsplit('/').next().and_then(|name| self.schemas.get(name));
            return named.map_or(Value::Null, |schema| self.example(schema, name, depth));
        }
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let objects = parts.iter().filter_map(|part| self.example(part, name, depth).as_object().cloned());
            return Value::Object(objects.flatten().collect());
        }
        if let Some(choice) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
            let told = choice.iter().find(|choice| choice["type"] != "null");
            return told.map_or(Value::Null, |schema| self.example(schema, name, depth));
        }
        if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
            return default.clone();
        }
        if depth == 0 {
            return Value::Null;
        }
        match type_of(schema) {
            "object" => self.object(schema, name, depth - 1),
            "array" => json!([self.example(&schema["items"], name, depth - 1)]),
            "string" => json!(text(name, schema["format"].as_str().unwrap_or_default())),
            "integer" => json!(number(name).max(schema["minimum"].as_i64().unwrap_or(0))),
            "number" => json!(amount(name)),
            "boolean" => json!(true),
            _ => free(name),
        }
    }

    fn object(&self, schema: &Value, name: &str, depth: u8) -> Value {
        let Some(members) = schema["properties"].as_object() else { return free(name) };
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let is_absent = |name: &str| ABSENT.contains(&name) && !required.iter().any(|required| required == name);
        let example = |name: &str, schema| if is_absent(name) { Value::Null } else { self.example(schema, name, depth) };
        members.iter().map(|(name, schema)| (name.clone(), example(name, schema))).collect::<Map<_, _>>().into()
    }
}

/// Members that are null in the usual case, in which nothing failed or ended early.
const ABSENT: &[&str] = &["error", "errorCode", "cancelRequestedAt", "revokedAt", "userId"];

/// A value of the caller's own shape.
fn free(name: &str) -> Value {
    match name {
        "manifest" => json!({
            "name": "@acme/refund-triage", "version": "1.0.0", "type": "agent", "schemaVersion": "1.3", "displayName": "Refund triage", "author": "Acme"
        }),
        "input" => json!({ "order_id": "ord_42" }),
        "output" => json!({ "refund": true }),
        "state" => json!({ "last_order": "ord_42" }),
        "config" => json!({ "tone": "friendly" }),
        "credentials" => json!({ "api_key": "secret" }),
        _ => json!({}),
    }
}

/// The type, without `null`.
fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(name) => name,
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or_default(),
        _ => "",
    }
}

fn text(name: &str, format: &str) -> &'static str {
    match (name, format) {
        (_, "date-time") => "2026-11-21T09:30:00.000Z",
        (_, "uri") => "https://app.example.com/",
        (_, "email") | ("email", _) => "ada@example.com",
        ("name" | "displayName" | "label", _) => "Ada",
        ("password" | "currentPassword" | "newPassword", _) => "correct horse battery",
        ("slug", _) => "acme",
        ("externalId", _) => "customer-42",
        ("version", _) => "1.0.0",
        ("apiVersion", _) => "2026-03-21",
        ("api", _) => "openai-completions",
        ("baseUrl", _) => "https://api.openai.com/v1",
        ("modelId" | "modelLabel", _) => "gpt-5",
        ("apiKey", _) => "sk-example",
        ("key", _) => "ask_3f9c0a51d2b74e8896c1e0d7a4b2f58c3f9c0a51d2b74e88",
        ("keyPrefix", _) => "ask_3f9c",
        ("scopes", _) => "runs:read",
        ("authMode", _) => "api_key",
        ("integrity", _) => "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ("prompt", _) => "Decide whether the order may be refunded.",
        ("content", _) => "Refunds take two days.",
        ("level", _) => "info",
        ("event", _) => "progress",
        ("input", _) => "text",
        ("errorCode", _) => "timed_out",
        ("sandbox", _) => "namespace",
        ("ip", _) => "203.0.113.7",
        ("userAgent", _) => "curl/8.5.0",
        _ => "An example.",
    }
}

fn number(name: &str) -> i64 {
    match name {
        "page" => 2,
        "pageSize" => 20,
        "total" => 47,
        "totalPages" => 3,
        "contextWindow" => 400_000,
        "maxTokens" => 128_000,
        "costNanoUsd" => 1_250_000,
        "duration" | "durationMs" => 4_200,
        "sizeBytes" => 18_432,
        _ => 1,
    }
}

/// Prices are dollars for a million tokens; the cost of a run is dollars.
fn amount(name: &str) -> f64 {
    match name {
        "cost" => 0.001_25,
        "output" => 10.0,
        _ => 1.25,
    }
}
