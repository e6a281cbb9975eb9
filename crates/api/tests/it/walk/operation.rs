//! The operations of the document.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::Value;

/// The document, as the code generates it.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&api::openapi::DOCUMENT).unwrap());
    &DOCUMENT
}

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// The template, `/api/end-users/{id}`.
    pub(crate) path: String,
    /// The names in the template.
    pub(crate) parameters: Vec<String>,
    pub(crate) permission: String,
    /// `none`, `user`, `organization` or `application`.
    pub(crate) level: String,
    pub(crate) value: &'static Value,
}

/// Every operation of the document.
pub(crate) fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, value) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            operations.push(Operation {
                id: text("operationId"),
                method,
                path: path.clone(),
                parameters: path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(ToOwned::to_owned).collect(),
                permission: text("x-permission"),
                level: text("x-level"),
                value,
            });
        }
    }
    assert!(operations.len() >= 16, "the document lost operations: {}", operations.len());
    operations
}

impl Operation {
    /// The response that the document describes for this status, references followed.
    pub(crate) fn response(&self, status: u16) -> Option<&'static Value> {
        self.value["responses"].get(status.to_string()).map(resolve)
    }

    /// The statuses of success.
    pub(crate) fn successes(&self) -> Vec<u16> {
        let statuses = self.value["responses"].as_object().unwrap().keys();
        statuses.filter_map(|status| status.parse().ok()).filter(|status| (200..400).contains(status)).collect()
    }

    fn success_content(&self) -> Option<&'static serde_json::Map<String, Value>> {
        self.response(*self.successes().first()?).and_then(|response| response["content"].as_object())
    }

    /// The schema of the JSON that it answers with.
    pub(crate) fn answer_schema(&self) -> Option<&'static Value> {
        self.success_content().and_then(|content| content.get("application/json")).map(|content| &content["schema"])
    }

    pub(crate) fn streams(&self) -> bool {
        self.success_content().is_some_and(|content| content.contains_key("text/event-stream"))
    }

    /// Whether it is for browsers, which it sends elsewhere.
    pub(crate) fn redirects(&self) -> bool {
        self.successes() == [302]
    }

    pub(crate) fn is_list(&self) -> bool {
        self.answer_schema().is_some_and(|schema| resolve(schema)["properties"].get("pagination").is_some())
    }

    pub(crate) fn takes_json(&self) -> bool {
        self.value["requestBody"]["content"].get("application/json").is_some()
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} {})", self.id, self.method, self.path)
    }
}

/// The value behind a reference into the document, or the value itself.
pub(crate) fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        None => value,
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leaves the document"));
            resolve(document().pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere")))
        }
    }
}
