//! Input and configuration against the schemas that the agent declares (JSON Schema 2020-12).

use afps::manifest::SchemaWrapper;
use serde_json::{Map, Value};

use super::load::Package;
use super::obstacle::Obstacle;

/// The run's input, checked. Values are kept as given: nothing is coerced.
pub(super) fn input(agent: &Package, given: &Map<String, Value>, obstacles: &mut Vec<Obstacle>) -> Value {
    let declared = agent.manifest.agent().and_then(|agent| agent.input.as_ref());
    checked(declared, given, "/input", "invalid_input", obstacles)
}

/// The agent's configuration in this application, checked.
pub(super) fn config(agent: &Package, given: &Map<String, Value>, obstacles: &mut Vec<Obstacle>) -> Value {
    let declared = agent.manifest.agent().and_then(|agent| agent.config.as_ref());
    checked(declared, given, "/config", "invalid_config", obstacles)
}

/// Every violation of an agent's configuration schema, at its place below `/config`; for checking a configuration when it is set.
pub fn check_config(agent: &afps::manifest::Agent, given: &Map<String, Value>) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    checked(agent.config.as_ref(), given, "/config", "invalid_config", &mut obstacles);
    obstacles
}

/// Fills in declared defaults, then validates. Every violation becomes an obstacle at its place.
fn checked(
    declared: Option<&SchemaWrapper>,
    given: &Map<String, Value>,
    base: &str,
    code: &'static str,
    obstacles: &mut Vec<Obstacle>,
) -> Value {
    let mut values = given.clone();
    let Some(wrapper) = declared else { return Value::Object(values) };
    if let Some(properties) = wrapper.schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            if let (false, Some(default)) = (values.contains_key(name), property.get("default")) {
                values.insert(name.clone(), default.clone());
            }
        }
    }
    let values = Value::Object(values);
    match jsonschema::draft202012::options().should_validate_formats(true).build(&wrapper.schema) {
        Ok(validator) => {
            obstacles.extend(
                validator
                    .iter_errors(&values)
                    .take(100)
                    .map(|error| Obstacle::new(format!("{base}{}", error.instance_path()), code, error.masked().to_string())),
            );
        }
        Err(error) => obstacles.push(Obstacle::new(base, "invalid_manifest", format!("the agent's schema cannot be used: {error}"))),
    }
    values
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrapper(schema: &Value) -> SchemaWrapper {
        serde_json::from_value(json!({ "schema": schema })).expect("a wrapper")
    }

    #[test]
    fn defaults_are_filled_in_and_every_violation_is_told_at_its_place() {
        let declared = wrapper(&json!({
            "type": "object",
            "required": ["order"],
            "properties": { "order": { "type": "string" }, "limit": { "type": "integer", "default": 10 }, "mail": { "type": "string", "format": "email" } }
        }));
        let mut obstacles = Vec::new();
        let given = json!({ "order": 5, "mail": "nobody" });
        let values = checked(Some(&declared), given.as_object().expect("object"), "/input", "invalid_input", &mut obstacles);
        assert_eq!(values["limit"], 10);
        let mut places: Vec<&str> = obstacles.iter().map(|obstacle| obstacle.pointer.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["/input/mail", "/input/order"]);
        assert!(obstacles.iter().all(|obstacle| !obstacle.message.contains("nobody")), "values are not repeated");
    }

    #[test]
    fn without_a_schema_anything_goes() {
        let mut obstacles = Vec::new();
        let given = json!({ "free": [1, 2] });
        assert_eq!(checked(None, given.as_object().expect("object"), "/input", "invalid_input", &mut obstacles), given);
        assert!(obstacles.is_empty());
    }
}
