//! What breaks a client in the shape of a body.
//!
//! What clients send may only be taken more widely, what they receive may only say more. New members of answers and new values of
//! their enumerations are additions: clients ignore what they do not know.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::rules::{Documents, resolve};

/// Who writes the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Sent,
    Received,
}

/// Limits of a schema; whether a larger number is the wider one.
const LIMITS: [(&str, bool); 8] = [
    ("maxLength", true),
    ("maximum", true),
    ("maxItems", true),
    ("maxProperties", true),
    ("minLength", false),
    ("minimum", false),
    ("minItems", false),
    ("minProperties", false),
];

/// One pair of bodies on its way through their schemas.
pub(super) struct Comparison<'c> {
    documents: Documents<'c>,
    way: Way,
    at: String,
    /// Pairs of references that are being compared: schemas recurse.
    open: BTreeSet<(String, String)>,
    broken: &'c mut Vec<String>,
}

impl<'c> Comparison<'c> {
    pub(super) fn new(documents: Documents<'c>, way: Way, at: String, broken: &'c mut Vec<String>) -> Self {
        Self { documents, way, at, open: BTreeSet::new(), broken }
    }

    fn breaks(&mut self, what: &str) {
        self.broken.push(format!("{}: {what}", self.at));
    }

    fn within(&mut self, place: &str, compare: impl FnOnce(&mut Self)) {
        let length = self.at.len();
        self.at.push('/');
        self.at.push_str(place);
        compare(self);
        self.at.truncate(length);
    }

    pub(super) fn schema(&mut self, old: &Value, new: &Value) {
        let named = |value: &Value| value["$ref"].as_str().unwrap_or_default().to_owned();
        let pair = (named(old), named(new));
        let is_reference = !pair.0.is_empty() || !pair.1.is_empty();
        if is_reference && !self.open.insert(pair.clone()) {
            return;
        }
        let (old, new) = (resolve(self.documents.old, old), resolve(self.documents.new, new));
        self.types(old, new);
        self.values(old, new);
        self.limits(old, new);
        self.members(old, new);
        if old.get("items").is_some() {
            self.within("items", |this| this.schema(&old["items"], &new["items"]));
        }
        self.choices(old, new);
        if is_reference {
            self.open.remove(&pair);
        }
    }

    fn types(&mut self, old: &Value, new: &Value) {
        let (was, is) = (types(old), types(new));
        // No type is every type.
        let narrower = |one: &BTreeSet<String>, other: &BTreeSet<String>| other.is_empty() || (!one.is_empty() && one.is_subset(other));
        let fits = match self.way {
            Way::Sent => narrower(&was, &is),
            Way::Received => narrower(&is, &was),
        };
        if !fits {
            self.breaks(&format!("the type was {was:?} and is {is:?}"));
        }
        if old["format"] != new["format"] {
            self.breaks(&format!("the format was {} and is {}", old["format"], new["format"]));
        }
    }

    fn values(&mut self, old: &Value, new: &Value) {
        let (was, is) = (values(old), values(new));
        for gone in was.iter().filter(|_| !is.is_empty()).filter(|value| !is.contains(value)) {
            self.breaks(&format!("the value {gone} is gone"));
        }
        if self.way == Way::Sent && was.is_empty() && !is.is_empty() {
            self.breaks("only some values are still taken");
        }
    }

    fn limits(&mut self, old: &Value, new: &Value) {
        if self.way == Way::Received {
            return;
        }
        for (name, larger_is_wider) in LIMITS {
            let is_tighter = match (old[name].as_f64(), new[name].as_f64()) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(was), Some(is)) => (is < was) == larger_is_wider && (is - was).abs() > 0.0,
            };
            if is_tighter {
                self.breaks(&format!("{name} was {} and is {}", old[name], new[name]));
            }
        }
        if !new["pattern"].is_null() && old["pattern"] != new["pattern"] {
            self.breaks(&format!("the pattern was {} and is {}", old["pattern"], new["pattern"]));
        }
    }

    fn members(&mut self, old: &Value, new: &Value) {
        let (was_required, is_required) = (required(old), required(new));
        for (name, member) in old["properties"].as_object().into_iter().flat_map(Map::iter) {
            match new["properties"].get(name) {
                None => self.breaks(&format!("the member {name} is gone")),
                Some(current) => self.within(name, |this| this.schema(member, current)),
            }
        }
        match self.way {
            Way::Sent => {
                for name in is_required.difference(&was_required) {
                    self.breaks(&format!("the member {name} became required"));
                }
                if new["additionalProperties"] == false && old["additionalProperties"] != false && old.get("properties").is_some() {
                    self.breaks("members without a description are no longer taken");
                }
            }
            Way::Received => {
                for name in was_required.difference(&is_required) {
                    self.breaks(&format!("the member {name} may now be missing"));
                }
            }
        }
    }

    /// Alternatives are compared in their order: one that is gone or moved is a break.
    fn choices(&mut self, old: &Value, new: &Value) {
        for name in ["oneOf", "anyOf", "allOf"] {
            let (was, is) = (list(&old[name]), list(&new[name]));
            for (at, one) in was.iter().enumerate() {
                match is.get(at) {
                    None => self.breaks(&format!("an alternative of {name} is gone")),
                    Some(other) => self.within(&format!("{name}/{at}"), |this| this.schema(one, other)),
                }
            }
            if is.len() > was.len() && (name == "allOf" || was.is_empty()) {
                self.breaks(&format!("{name} asks for more"));
            }
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn types(schema: &Value) -> BTreeSet<String> {
    match &schema["type"] {
        Value::String(one) => BTreeSet::from([one.clone()]),
        several => list(several).iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
    }
}

fn values(schema: &Value) -> Vec<&Value> {
    schema.get("const").into_iter().chain(list(&schema["enum"])).collect()
}

fn required(schema: &Value) -> BTreeSet<String> {
    list(&schema["required"]).iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}
