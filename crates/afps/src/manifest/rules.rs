//! Our rules beyond the schemas. They read the raw value, so that they report beside schema errors and never stop at the first.

use std::time::Duration;

use domain::PackageName;
use serde_json::{Map, Value};
use url::Url;

use super::error::{ManifestError, child};
use super::provider::Transform;
use super::{PackageType, nested};
use crate::archive::check_path;
use crate::{Range, UriPattern, Version};

/// Headers that frame or route a message; a credential in one of them would change the request itself.
const RESERVED_HEADERS: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What a tool's module may be called.
pub(crate) const ENTRYPOINT_SUFFIXES: [&str; 4] = [".ts", ".mts", ".js", ".mjs"];

pub(super) fn check(package_type: PackageType, manifest: &Value, errors: &mut Vec<ManifestError>) {
    identity(manifest, errors);
    dependencies(manifest, errors);
    match package_type {
        PackageType::Agent => agent(manifest, errors),
        PackageType::Skill => {}
        PackageType::Tool => tool(manifest, errors),
        PackageType::Provider => {
            if let Some(definition) = manifest.get("definition") {
                provider(definition, errors);
            }
        }
    }
}

fn text<'m>(value: &'m Value, member: &str) -> Option<&'m str> {
    value.get(member)?.as_str()
}

fn object<'m>(value: &'m Value, member: &str) -> Option<&'m Map<String, Value>> {
    value.get(member)?.as_object()
}

fn identity(manifest: &Value, errors: &mut Vec<ManifestError>) {
    if let Some(Err(error)) = text(manifest, "name").map(str::parse::<PackageName>) {
        errors.push(ManifestError::new("/name", "invalid_name", error));
    }
    if let Some(Err(error)) = text(manifest, "version").map(str::parse::<Version>) {
        errors.push(ManifestError::new("/version", "invalid_version", error));
    }
}

fn dependencies(manifest: &Value, errors: &mut Vec<ManifestError>) {
    let Some(all) = manifest.get("dependencies") else { return };
    for kind in ["skills", "tools", "providers"] {
        let base = child("/dependencies", kind);
        for (name, range) in object(all, kind).into_iter().flatten() {
            let here = child(&base, name);
            if let Err(error) = name.parse::<PackageName>() {
                errors.push(ManifestError::new(&here, "invalid_name", error));
            }
            if Some(name.as_str()) == text(manifest, "name") {
                errors.push(ManifestError::new(&here, "self_dependency", "a package cannot depend on itself"));
            }
            if let Some(Err(error)) = range.as_str().map(str::parse::<Range>) {
                errors.push(ManifestError::new(&here, "invalid_range", error));
            }
        }
    }
}

fn agent(manifest: &Value, errors: &mut Vec<ManifestError>) {
    for part in ["input", "output", "config"] {
        if let Some(schema) = manifest.get(part).and_then(|wrapper| wrapper.get("schema")).filter(|schema| schema.is_object()) {
            nested::check(schema, &format!("/{part}/schema"), errors);
        }
    }
    for name in object(manifest, "providersConfiguration").into_iter().flat_map(Map::keys) {
        if let Err(error) = name.parse::<PackageName>() {
            errors.push(ManifestError::new(child("/providersConfiguration", name), "invalid_name", error));
        }
    }
    let timeout = manifest.get("timeout").and_then(Value::as_f64).filter(|seconds| *seconds > 0.0);
    if timeout.is_some_and(|seconds| Duration::try_from_secs_f64(seconds).is_err()) {
        errors.push(ManifestError::new("/timeout", "maximum", "is too many seconds"));
    }
}

fn tool(manifest: &Value, errors: &mut Vec<ManifestError>) {
    if let Some(entrypoint) = text(manifest, "entrypoint").filter(|path| !path.is_empty()) {
        if let Err(reason) = check_path(entrypoint) {
            errors.push(ManifestError::new("/entrypoint", "invalid_path", reason));
        } else if !ENTRYPOINT_SUFFIXES.iter().any(|suffix| entrypoint.ends_with(suffix)) {
            errors.push(ManifestError::new("/entrypoint", "invalid_path", "must end in .ts, .mts, .js or .mjs"));
        }
    }
    if let Some(schema) = manifest.get("tool").and_then(|tool| tool.get("inputSchema")).filter(|schema| schema.is_object()) {
        nested::check(schema, "/tool/inputSchema", errors);
    }
}

fn provider(definition: &Value, errors: &mut Vec<ManifestError>) {
    const BASE: &str = "/definition";
    for (part, members) in [
        ("oauth2", ["authorizationUrl", "tokenUrl", "refreshUrl"].as_slice()),
        ("oauth1", ["requestTokenUrl", "accessTokenUrl", "authorizationUrl"].as_slice()),
    ] {
        let Some(section) = definition.get(part) else { continue };
        for member in members {
            if let Some(false) = text(section, member).map(is_web_url) {
                let here = format!("{BASE}/{part}/{member}");
                errors.push(ManifestError::new(here, "invalid_url", "must be an absolute https or http URL without user info or fragment"));
            }
        }
    }
    for (index, uri) in definition.get("authorizedUris").and_then(Value::as_array).into_iter().flatten().enumerate() {
        if let Some(Err(error)) = uri.as_str().map(str::parse::<UriPattern>) {
            errors.push(ManifestError::new(format!("{BASE}/authorizedUris/{index}"), "invalid_uri_pattern", error));
        }
    }
    if text(definition, "credentialHeaderName").is_some_and(|name| RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str())) {
        errors.push(ManifestError::new(
            "/definition/credentialHeaderName",
            "reserved_header",
            "is a header that frames the request itself",
        ));
    }
    credentials(definition, errors);
}

fn credentials(definition: &Value, errors: &mut Vec<ManifestError>) {
    let mode = text(definition, "authMode").unwrap_or_default();
    let schema = definition.get("credentials").and_then(|credentials| credentials.get("schema")).filter(|schema| schema.is_object());
    let Some(schema) = schema else { return };
    nested::check(schema, "/definition/credentials/schema", errors);

    let declares = |field: &str| object(schema, "properties").is_some_and(|properties| properties.contains_key(field));
    let named = definition.get("credentials").and_then(|credentials| text(credentials, "fieldName"));
    let needed: Vec<&str> = match (mode, named) {
        (_, Some(name)) => vec![name],
        ("api_key", None) => vec!["api_key"],
        ("basic", None) => vec!["username", "password"],
        _ => vec![],
    };
    for field in needed.into_iter().filter(|field| !declares(field)) {
        let here = if named.is_some() { "/definition/credentials/fieldName" } else { "/definition/credentials/schema/properties" };
        errors.push(ManifestError::new(
            here,
            "unknown_field",
            format_args!("the credential field \"{field}\" must be declared in schema.properties"),
        ));
    }

    let Some(template) = definition.get("credentialTransform").and_then(|transform| text(transform, "template")) else { return };
    let here = "/definition/credentialTransform/template";
    match Transform::slots(template) {
        Err(slot) => {
            let slot: String = slot.chars().take(40).collect();
            errors.push(ManifestError::new(here, "invalid_template", format_args!("\"{slot}\" is not a field name between {{{{ and }}}}")));
        }
        Ok(slots) => {
            for slot in slots.into_iter().filter(|slot| !declares(slot)) {
                errors.push(ManifestError::new(
                    here,
                    "unknown_field",
                    format_args!("the field \"{slot}\" must be declared in credentials.schema.properties"),
                ));
            }
        }
    }
}

fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    })
}
