//! The committed OpenAPI document: current, and whole.

use std::path::PathBuf;

use api::versions::RELEASES;
use serde_json::Value;

use crate::walk::document;

fn committed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../openapi").join(format!("{name}.json"))
}

#[expect(clippy::disallowed_methods, reason = "the one switch of generated files")]
fn updates() -> bool {
    std::env::var("UPDATE_GENERATED").is_ok_and(|value| value == "1")
}

fn is_current(name: &str, document: &str) {
    let path = committed(name);
    if updates() {
        std::fs::write(&path, document.as_bytes()).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let differs = text.lines().zip(document.lines()).position(|(old, new)| old != new);
    assert!(
        text == document,
        "openapi/{name}.json is out of date (first at line {:?}). Run: UPDATE_GENERATED=1 cargo test -p api --test it generated_openapi",
        differs.map(|line| line + 1)
    );
}

/// `openapi.json` is what a client gets that names no version; beside it each version's own. What a version has promised is frozen elsewhere.
#[test]
fn generated_openapi_is_current() {
    is_current("openapi", &api::openapi::DOCUMENT);
    for release in RELEASES {
        is_current(release.version.as_str(), api::openapi::document(release.version));
    }
}

/// Calls `visit` with every object of the document and its JSON Pointer.
fn each_object(value: &Value, pointer: &str, visit: &mut impl FnMut(&str, &serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(pointer, object);
            for (name, value) in object {
                each_object(value, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), visit);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                each_object(value, &format!("{pointer}/{at}"), visit);
            }
        }
        _ => {}
    }
}

/// The document of every version.
fn documents() -> impl Iterator<Item = Value> {
    RELEASES.iter().map(|release| serde_json::from_str(api::openapi::document(release.version)).unwrap())
}

#[test]
fn every_reference_leads_somewhere() {
    for document in documents() {
        let mut count = 0;
        each_object(&document, "", &mut |pointer, object| {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                let target = reference.strip_prefix("#/").unwrap_or_else(|| panic!("{pointer}: {reference} leaves the document"));
                assert!(document.pointer(&format!("/{target}")).is_some(), "{pointer}: {reference} leads nowhere");
                count += 1;
            }
        });
        assert!(count > 100, "{count} references");
    }
}

#[test]
fn every_component_is_used() {
    for document in documents() {
        let text = document.to_string();
        for (section, components) in document["components"].as_object().unwrap() {
            for name in components.as_object().unwrap().keys().filter(|_| section != "securitySchemes") {
                assert!(text.contains(&format!("\"#/components/{section}/{name}\"")), "components/{section}/{name} is used by nothing");
            }
        }
    }
}

#[test]
fn properties_are_camel_case() {
    let mut count = 0;
    each_object(&document()["components"]["schemas"], "", &mut |pointer, object| {
        let Some(properties) = object.get("properties").and_then(Value::as_object) else { return };
        for name in properties.keys() {
            let starts_low = name.starts_with(|first: char| first.is_ascii_lowercase());
            assert!(starts_low && name.chars().all(|letter| letter.is_ascii_alphanumeric()), "{pointer}: {name}");
            count += 1;
        }
    });
    assert!(count > 40, "{count} properties");
}

#[test]
fn required_members_are_properties() {
    each_object(&document()["components"]["schemas"], "", &mut |pointer, object| {
        let (Some(required), Some(properties)) = (object.get("required").and_then(Value::as_array), object.get("properties")) else {
            return;
        };
        for name in required.iter().filter_map(Value::as_str) {
            assert!(properties.get(name).is_some(), "{pointer}: {name} is required and no property");
        }
    });
}

#[test]
fn every_schema_is_a_schema() {
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        if let Err(error) = jsonschema::draft202012::meta::validate(schema) {
            panic!("components/schemas/{name}: {error}");
        }
    }
}
