//! Checks against the embedded JSON Schemas. References never leave the document: there is no network and no file access.

use std::borrow::Cow;
use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::PackageType;
use super::error::{ManifestError, child};

static AGENT: LazyLock<[Validator; 1]> = LazyLock::new(|| [embedded(include_str!("../../schemas/agent.schema.json"))]);
static SKILL: LazyLock<[Validator; 1]> = LazyLock::new(|| [embedded(include_str!("../../schemas/skill.schema.json"))]);
static TOOL: LazyLock<[Validator; 2]> = LazyLock::new(|| {
    [embedded(include_str!("../../schemas/tool.schema.json")), embedded(include_str!("../../schemas/rules/tool.schema.json"))]
});
static PROVIDER: LazyLock<[Validator; 2]> = LazyLock::new(|| {
    [embedded(include_str!("../../schemas/provider.schema.json")), embedded(include_str!("../../schemas/rules/provider.schema.json"))]
});

fn embedded(text: &str) -> Validator {
    let schema: Value = serde_json::from_str(text).expect("embedded schemas are JSON");
    compile(&schema).expect("embedded schemas compile")
}

/// Compiles a schema as draft 2020-12, without any retrieval and with bounded regular expressions.
pub(super) fn compile(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(100_000).size_limit(1 << 20))
        .build(schema)
}

/// Checks a manifest against the AFPS schema of its type and our additions to it.
pub(super) fn check(package_type: PackageType, manifest: &Value, errors: &mut Vec<ManifestError>) {
    let validators: &[Validator] = match package_type {
        PackageType::Agent => &*AGENT,
        PackageType::Skill => &*SKILL,
        PackageType::Tool => &*TOOL,
        PackageType::Provider => &*PROVIDER,
    };
    for validator in validators {
        collect(validator.iter_errors(manifest), "", errors);
    }
}

/// Checks that a value is a valid schema of draft 2020-12; errors point below `base`.
pub(super) fn check_meta(schema: &Value, base: &str, errors: &mut Vec<ManifestError>) {
    let validator = jsonschema::draft202012::meta::validator();
    collect(validator.iter_errors(schema), base, errors);
}

fn collect<'i>(found: impl Iterator<Item = ValidationError<'i>>, base: &str, errors: &mut Vec<ManifestError>) {
    for error in found {
        let pointer = format!("{base}{}", error.instance_path());
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                errors.push(ManifestError::new(child(&pointer, name), "required", "is required"));
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for name in unexpected {
                    errors.push(ManifestError::new(child(&pointer, name), "unknown_member", "is not a member that may stand here"));
                }
            }
            ValidationErrorKind::PropertyNames { error: inner } => {
                let name = inner.instance().as_str().unwrap_or_default();
                errors.push(ManifestError::new(child(&pointer, name), "property_name", format_args!("its name {}", expected(inner))));
            }
            kind => errors.push(ManifestError { pointer, code: Cow::Owned(snake(kind.keyword())), message: expected(&error) }),
        }
    }
}

/// The library's text without the rejected value, which may be huge or secret.
fn expected(error: &ValidationError<'_>) -> String {
    let text = error.masked_with("the value").to_string();
    let text = text.strip_prefix("the value ").unwrap_or(&text);
    text.chars().take(300).collect()
}

fn snake(keyword: &str) -> String {
    let mut snake = String::with_capacity(keyword.len() + 2);
    for letter in keyword.chars().filter(|letter| *letter != '$') {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
