//! The JSON Schemas that a manifest itself carries (input, output, config, credentials, tool parameters).
//!
//! They are compiled and run against untrusted values later, so beyond being valid they must be local and cheap: every reference
//! stays in the document, no reference leads back to itself without consuming input, and the work for one value is bounded.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::error::{ManifestError, child};
use super::schema;

/// How many subschemas one value may run through, counted through references.
const MAX_STEPS: u64 = 10_000;
/// How deep subschemas of one value may nest, counted through references. Validation recurses this deep for each level of the value.
const MAX_DEPTH: u32 = 12;
/// How many different places `$ref` may point at. Compilation may recurse through all of them.
const MAX_TARGETS: usize = 100;

const SAME_VALUE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SAME_VALUE_ONE: [&str; 4] = ["not", "if", "then", "else"];

/// Checks one carried schema that stands at `base`.
pub(super) fn check(root: &Value, base: &str, errors: &mut Vec<ManifestError>) {
    let before = errors.len();
    schema::check_meta(root, base, errors);
    if root.get("type").and_then(Value::as_str) != Some("object") {
        errors.push(ManifestError::new(child(base, "type"), "const", "must be \"object\""));
    }
    check_references(root, base, errors);
    if errors.len() == before {
        check_work(root, base, errors);
    }
    if errors.len() == before
        && let Err(error) = schema::compile(root)
    {
        let text: String = error.masked_with("the value").to_string().chars().take(300).collect();
        let here = format!("{base}{}", error.instance_path());
        errors.push(ManifestError::new(here, "invalid_schema", format_args!("is not a usable JSON Schema: {text}")));
    }
}

/// Every `$ref` must be a pointer into the same document that leads somewhere; other ways to move the base are refused.
///
/// Data (`const`, `default`, `enum`) is read as if it were a schema: a property may have such a name, so telling them apart by name
/// would leave a gap.
fn check_references(root: &Value, base: &str, errors: &mut Vec<ManifestError>) {
    let mut targets = HashSet::new();
    let mut open = vec![(root, base.to_owned())];
    while let Some((node, place)) = open.pop() {
        match node {
            Value::Object(members) => {
                for (name, value) in members {
                    let here = child(&place, name);
                    match name.as_str() {
                        "$ref" if value.is_string() => {
                            if let Some(found) = target(root, value) {
                                targets.insert(std::ptr::from_ref(found));
                            } else {
                                let text = "must point into the same schema, as in #/$defs/name";
                                errors.push(ManifestError::new(here, "unresolved_reference", text));
                            }
                        }
                        "$dynamicRef" | "$recursiveRef" if value.is_string() => {
                            errors.push(ManifestError::new(here, "unsupported_reference", "is not supported; use $ref"));
                        }
                        "$id" if value.is_string() && place != base => {
                            errors.push(ManifestError::new(here, "unsupported_reference", "may stand only at the top of the schema"));
                        }
                        _ => open.push((value, here)),
                    }
                }
            }
            Value::Array(items) => open.extend(items.iter().enumerate().map(|(index, item)| (item, format!("{place}/{index}")))),
            _ => {}
        }
    }
    if targets.len() > MAX_TARGETS {
        let text = format!("refers to {} places; {MAX_TARGETS} are allowed", targets.len());
        errors.push(ManifestError::new(base, "schema_too_complex", text));
    }
}

fn target<'s>(root: &'s Value, reference: &Value) -> Option<&'s Value> {
    let pointer = reference.as_str()?.strip_prefix('#')?;
    if pointer.contains('%') { None } else { root.pointer(pointer) }
}

fn check_work(root: &Value, base: &str, errors: &mut Vec<ManifestError>) {
    let mut known = HashMap::new();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        match node {
            Value::Object(members) => {
                if let Err(refusal) = work(root, node, MAX_DEPTH, &mut known) {
                    let (code, text) = match refusal {
                        Refusal::TooMuch => ("schema_too_complex", "applies too many nested subschemas to one value"),
                        Refusal::Endless => ("endless_reference", "holds a reference that leads back to itself"),
                    };
                    errors.push(ManifestError::new(base, code, text));
                    return;
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
}

enum Refusal {
    Endless,
    TooMuch,
}

#[derive(Clone, Copy)]
struct Work {
    steps: u64,
    depth: u32,
}

/// What applies to one value at `node`; `None` in the map marks a node that is being counted. Recurses at most `levels` deep.
fn work<'s>(root: &'s Value, node: &'s Value, levels: u32, known: &mut HashMap<*const Value, Option<Work>>) -> Result<Work, Refusal> {
    let key = std::ptr::from_ref(node);
    match known.get(&key) {
        Some(Some(work)) => return Ok(*work),
        Some(None) => return Err(Refusal::Endless),
        None => {}
    }
    known.insert(key, None);
    let mut sum = Work { steps: 1, depth: 1 };
    for next in same_value(root, node) {
        // Checked here and not at the head, so that a cycle is found as one before the levels run out.
        let Some(levels) = levels.checked_sub(1) else { return Err(Refusal::TooMuch) };
        let part = work(root, next, levels, known)?;
        sum = Work { steps: sum.steps.saturating_add(part.steps), depth: sum.depth.max(part.depth + 1) };
    }
    if sum.steps > MAX_STEPS || sum.depth > MAX_DEPTH {
        return Err(Refusal::TooMuch);
    }
    known.insert(key, Some(sum));
    Ok(sum)
}

/// The subschemas that apply to the same value as `node` does.
fn same_value<'s>(root: &'s Value, node: &'s Value) -> Vec<&'s Value> {
    let Some(members) = node.as_object() else { return Vec::new() };
    let mut next: Vec<&Value> = Vec::new();
    next.extend(members.get("$ref").and_then(|reference| target(root, reference)));
    next.extend(SAME_VALUE_ONE.iter().filter_map(|name| members.get(*name)));
    next.extend(SAME_VALUE_LISTS.iter().filter_map(|name| members.get(*name)?.as_array()).flatten());
    next.extend(members.get("dependentSchemas").and_then(Value::as_object).into_iter().flat_map(|map| map.values()));
    next
}
