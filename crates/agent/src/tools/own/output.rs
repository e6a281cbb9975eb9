//! `output`: the structured result, checked in the call so that the model can repair it.

use jsonschema::Validator;
use serde_json::Value;
use wire::run_event::RunEvent;

use super::Effect;
use crate::tools::schema;

/// The largest output that is kept, as JSON, in bytes.
const MAX_OUTPUT_BYTES: usize = 4 * 1024 * 1024;

pub(super) struct Output {
    checks: Option<Checks>,
    merged: Option<Value>,
}

struct Checks {
    whole: Validator,
    /// Without the top-level `required`: what parts must fit.
    part: Validator,
}

impl Output {
    pub(super) fn new(output_schema: Option<&Value>) -> Result<Self, String> {
        let checks = output_schema
            .map(|given| Ok::<_, String>(Checks { whole: schema::compile(given)?, part: schema::compile(&schema::partial(given))? }))
            .transpose()?;
        Ok(Self { checks, merged: None })
    }

    /// Merges `data` in. A value that does not fit changes nothing.
    pub(super) fn merge(&mut self, arguments: &Value) -> Effect {
        let Some(data) = arguments.get("data").filter(|data| data.is_object()) else {
            return Effect::refused("Call `output` with one member, `data`, that holds a JSON object.");
        };
        let mut merged = self.merged.clone().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        merge_deeply(&mut merged, data);
        if merged.to_string().len() > MAX_OUTPUT_BYTES {
            return Effect::refused("The output is larger than 4 MiB and was not kept. Write large results to a file or shorten them.");
        }
        let problems = self.checks.as_ref().map(|checks| schema::problems(&checks.part, &merged)).unwrap_or_default();
        if !problems.is_empty() {
            return Effect::refused(format!(
                "The output does not fit its schema and was not kept. Repair it and call `output` again:\n{}",
                problems.join("\n")
            ));
        }
        self.merged = Some(merged.clone());
        let answer = self.missing().map_or_else(
            || "The output is kept and complete.".to_owned(),
            |missing| format!("The output is kept, but not complete yet:\n{missing}"),
        );
        Effect::done(answer, RunEvent::Output { output: merged })
    }

    pub(super) fn missing(&self) -> Option<String> {
        let checks = self.checks.as_ref()?;
        let Some(merged) = &self.merged else {
            return Some("- nothing has been given yet".to_owned());
        };
        let problems = schema::problems(&checks.whole, merged);
        (!problems.is_empty()).then(|| problems.join("\n"))
    }

    pub(super) fn into_value(self) -> Option<Value> {
        self.merged
    }
}

/// Objects merge member by member; everything else, arrays and null included, replaces what was there.
fn merge_deeply(target: &mut Value, source: &Value) {
    match (target, source) {
        (Value::Object(target), Value::Object(source)) => {
            for (name, value) in source {
                merge_deeply(target.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (target, source) => *target = source.clone(),
    }
}
