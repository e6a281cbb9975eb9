//! The OpenAPI 3.1 document: made from the handlers, completed in one place, committed in `openapi/` and diffed.

pub mod decorate;
mod examples;
pub mod guard;

use std::sync::LazyLock;

use serde_json::{Value, json};

/// The document as it is served, pretty-printed so that diffs read well.
pub static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut text = serde_json::to_string_pretty(&document()).expect("a document is JSON");
    text.push('\n');
    text
});

/// `page` and `pageSize`, for the operations that list.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the document generator; requests are parsed by `extract::Paging`")]
pub struct PagingParameters {
    /// The page, from 1.
    #[param(minimum = 1, default = 1, example = 1)]
    page: Option<u64>,
    /// Rows on a page.
    #[param(minimum = 1, maximum = 100, default = 20, example = 20)]
    page_size: Option<u64>,
}

/// Builds the document. Schemas recurse, so it runs on a thread with room for them.
fn document() -> Value {
    let build = || {
        let (_, generated) = crate::router::documented().split_for_parts();
        let mut document = decorate::decorate(serde_json::to_value(generated).expect("the generator makes JSON"));
        document["components"]["parameters"] = decorate::parameters();
        document["tags"] = tags(&document);
        examples::complete(&mut document);
        document
    };
    std::thread::Builder::new()
        .stack_size(16 * 1024 * 1024)
        .spawn(build)
        .expect("a thread starts")
        .join()
        .expect("building the document does not panic: a test does it")
}

/// The tags in use, each once, in the order of the paths.
fn tags(document: &Value) -> Value {
    let mut names: Vec<&str> = Vec::new();
    for item in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        for operation in item.as_object().into_iter().flat_map(|item| item.values()) {
            for tag in operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !names.contains(&tag) {
                    names.push(tag);
                }
            }
        }
    }
    names.into_iter().map(|name| json!({ "name": name, "description": format!("{name}.") })).collect()
}
