//! From bytes to a [`Manifest`].

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Body, MAX_MANIFEST_BYTES, Manifest, ManifestError, ManifestErrors, PackageType, rules, schema};

impl Manifest {
    /// Parses and checks a manifest. A byte order mark is accepted.
    ///
    /// # Errors
    /// Everything that is wrong, at once. Text that is no JSON object, or names no type, has just that one error.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestErrors> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            let text = format!("is larger than {MAX_MANIFEST_BYTES} bytes");
            return Err(ManifestErrors::one(ManifestError::new("", "too_large", text)));
        }
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let value: Value = serde_json::from_slice(text)
            .map_err(|error| ManifestErrors::one(ManifestError::new("", "invalid_json", format_args!("is not JSON: {error}"))))?;
        build(value, text.to_vec())
    }

    /// Checks a manifest that is a value already; its bytes become JSON indented by two spaces.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn from_value(value: Value) -> Result<Self, ManifestErrors> {
        let mut bytes = serde_json::to_vec_pretty(&value).expect("a JSON value has a text");
        bytes.push(b'\n');
        build(value, bytes)
    }
}

fn build(value: Value, bytes: Vec<u8>) -> Result<Manifest, ManifestErrors> {
    let package_type = type_of(&value).map_err(ManifestErrors::one)?;
    let mut errors = Vec::new();
    schema::check(package_type, &value, &mut errors);
    let mut ours = Vec::new();
    rules::check(package_type, &value, &mut ours);
    // Where the schema has spoken already, our word on the same place would only say it twice.
    ours.retain(|error| !errors.iter().any(|known| known.pointer == error.pointer));
    errors.extend(ours);
    ManifestErrors::check(errors)?;

    let Value::Object(raw) = value else { return Err(ManifestErrors::one(ManifestError::new("", "type", "must be a JSON object"))) };
    let body = match package_type {
        PackageType::Agent => Body::Agent(Box::new(typed("", Value::Object(raw.clone()))?)),
        PackageType::Skill => Body::Skill,
        PackageType::Tool => Body::Tool(Box::new(typed("", Value::Object(raw.clone()))?)),
        PackageType::Provider => Body::Provider(Box::new(typed("", Value::Object(raw.clone()))?)),
    };
    Ok(Manifest {
        name: member(&raw, "name")?,
        version: member(&raw, "version")?,
        dependencies: if raw.contains_key("dependencies") { member(&raw, "dependencies")? } else { super::Dependencies::default() },
        bytes,
        raw,
        body,
    })
}

fn type_of(value: &Value) -> Result<PackageType, ManifestError> {
    let members = value.as_object().ok_or_else(|| ManifestError::new("", "type", "must be a JSON object"))?;
    let given = members.get("type").ok_or_else(|| ManifestError::new("/type", "required", "is required"))?;
    given
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| ManifestError::new("/type", "enum", "must be \"agent\", \"skill\", \"tool\" or \"provider\""))
}

fn member<T: DeserializeOwned>(raw: &Map<String, Value>, name: &str) -> Result<T, ManifestErrors> {
    typed(&format!("/{name}"), raw.get(name).cloned().unwrap_or_default())
}

/// Reads a part whose shape the schemas have checked; a difference between them and the type is an error of the part, not a panic.
fn typed<T: DeserializeOwned>(pointer: &str, value: Value) -> Result<T, ManifestErrors> {
    serde_json::from_value(value).map_err(|error| ManifestErrors::one(ManifestError::new(pointer, "invalid_shape", error)))
}
