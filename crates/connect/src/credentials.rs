//! The fields of a connection: checked against the provider's schema when they come in, transformed when they go out.

use std::collections::BTreeMap;

use afps::manifest::{AuthMode, Definition};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Secret;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// The plain fields of one connection.
pub type Fields = BTreeMap<String, Secret>;

/// The most fields, and the most bytes of one: no service asks for more.
const MOST_FIELDS: usize = 32;
const MOST_BYTES: usize = 16 * 1024;

/// Why fields do not fit a provider. Never repeats a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    #[error("this provider connects through {0}, not with stored fields")]
    OtherMode(&'static str),
    #[error("{}", .0.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldProblem>),
}

/// One field that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    pub field: String,
    pub message: String,
}

/// The field that a single API key is stored under.
pub fn api_key_field(definition: &Definition) -> Result<&str, FieldsError> {
    match definition.auth_mode {
        AuthMode::ApiKey => Ok(definition.header_field().unwrap_or("api_key")),
        other => Err(FieldsError::OtherMode(other.as_str())),
    }
}

/// Checks fields against the provider's credential schema.
pub fn check(definition: &Definition, fields: &Fields) -> Result<(), FieldsError> {
    if matches!(definition.auth_mode, AuthMode::Oauth1 | AuthMode::Oauth2) {
        return Err(FieldsError::OtherMode(definition.auth_mode.as_str()));
    }
    let mut problems = Vec::new();
    let mut problem =
        |field: &str, message: &str| problems.push(FieldProblem { field: field.to_owned(), message: format!("{field}: {message}") });
    if fields.len() > MOST_FIELDS {
        problem("credentials", "has too many fields");
    }
    let schema = definition.credentials.as_ref().map(|credentials| &credentials.schema);
    let declared = definition.credential_fields();
    for (name, value) in fields {
        if !declared.contains(&name.as_str()) {
            problem(name, "is not a field of this provider");
        } else if value.expose().len() > MOST_BYTES {
            problem(name, "is too long");
        } else if value.expose().bytes().any(|byte| byte == 0 || byte == b'\r' || byte == b'\n') && is_header_field(definition, name) {
            // It would end the header that it is meant for.
            problem(name, "must be one line");
        }
    }
    let required = schema.and_then(|schema| schema.get("required")).and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if fields.get(name).is_none_or(|value| value.expose().is_empty()) {
            problem(name, "is required");
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(FieldsError::Invalid(problems)) }
}

fn is_header_field(definition: &Definition, name: &str) -> bool {
    definition.header_field() == Some(name) || definition.auth_mode == AuthMode::Basic
}

/// The fields as bytes to seal.
pub fn to_bytes(fields: &Fields) -> Zeroizing<Vec<u8>> {
    let map: Map<String, Value> = fields.iter().map(|(name, value)| (name.clone(), Value::String(value.expose().clone()))).collect();
    Zeroizing::new(serde_json::to_vec(&map).expect("a map of texts is JSON"))
}

/// The fields from opened bytes.
pub fn from_bytes(bytes: &Secret<Vec<u8>>) -> Option<Fields> {
    serde_json::from_slice(bytes.expose()).ok()
}

/// The fields as a run gets them: without the refresh token, and with the provider's transform applied to the field it names.
///
/// A transform whose slots are not all filled changes nothing.
pub fn for_run(definition: &Definition, mut fields: Fields) -> Fields {
    fields.remove("refresh_token");
    let (Some(transform), Some(target)) = (&definition.credential_transform, definition.header_field()) else { return fields };
    let mut text = Zeroizing::new(transform.template.clone());
    let slots: Vec<String> = match afps::manifest::Transform::slots(&transform.template) {
        Ok(slots) => slots.into_iter().map(str::to_owned).collect(),
        Err(_) => return fields,
    };
    for slot in slots {
        let Some(value) = fields.get(&slot) else { return fields };
        text = Zeroizing::new(replace_slot(&text, &slot, value.expose()));
    }
    fields.insert(target.to_owned(), Secret::new(STANDARD.encode(text.as_bytes())));
    fields
}

/// Replaces the first `{{slot}}`, with or without spaces inside the braces.
fn replace_slot(template: &str, slot: &str, value: &str) -> String {
    let mut from = 0;
    while let Some(start) = template[from..].find("{{").map(|at| from + at) {
        let Some(end) = template[start..].find("}}").map(|at| start + at + 2) else { break };
        if template[start + 2..end - 2].trim() == slot {
            return format!("{}{value}{}", &template[..start], &template[end..]);
        }
        from = end;
    }
    template.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition(value: Value) -> Definition {
        serde_json::from_value(value).expect("a definition")
    }

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::from(*value))).collect()
    }

    fn api_key() -> Definition {
        definition(json!({
            "authMode": "api_key",
            "credentials": { "schema": { "type": "object", "required": ["api_key"], "properties": { "api_key": {}, "domain": {} } }, "fieldName": "api_key" },
            "credentialTransform": { "template": "{{ api_key }}:X", "encoding": "base64" }
        }))
    }

    #[test]
    fn required_unknown_and_broken_fields_are_told_without_their_values() {
        assert_eq!(check(&api_key(), &fields(&[("api_key", "k")])), Ok(()));
        let FieldsError::Invalid(problems) = check(&api_key(), &fields(&[("colour", "canary")])).expect_err("refused") else {
            panic!("a list")
        };
        assert_eq!(problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), ["colour", "api_key"]);
        assert!(!format!("{problems:?}").contains("canary"));
        assert!(check(&api_key(), &fields(&[("api_key", "a\r\nX-Evil: 1")])).is_err());
    }

    #[test]
    fn the_transform_replaces_the_header_field_and_the_refresh_token_stays_behind() {
        let given = for_run(&api_key(), fields(&[("api_key", "secret"), ("domain", "acme"), ("refresh_token", "never")]));
        assert_eq!(given["api_key"].expose(), &STANDARD.encode("secret:X"));
        assert_eq!(given["domain"].expose(), "acme");
        assert!(!given.contains_key("refresh_token"));
    }

    #[test]
    fn fields_survive_the_vault() {
        let bytes = to_bytes(&fields(&[("a", "1"), ("b", "2")]));
        let back = from_bytes(&Secret::new(bytes.to_vec())).expect("parses");
        assert_eq!(back["b"].expose(), "2");
    }
}
