//! The OpenAPI 3.1 document: made from the handlers, completed in one place, committed in `openapi/` and diffed.

pub mod decorate;
mod examples;
pub mod guard;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::versions::{DEFAULT, RELEASES, Version};

/// The document of the default version, pretty-printed so that diffs read well.
pub static DOCUMENT: LazyLock<String> = LazyLock::new(|| document(DEFAULT).to_owned());

/// The document of each version.
static DOCUMENTS: LazyLock<BTreeMap<Version, String>> = LazyLock::new(|| {
    let newest = newest();
    let of = |version| {
        let mut text = serde_json::to_string_pretty(&in_version(newest.clone(), version)).expect("a document is JSON");
        text.push('\n');
        (version, text)
    };
    RELEASES.iter().map(|release| of(release.version)).collect()
});

/// The document of this version as it is served.
pub fn document(version: Version) -> &'static str {
    &DOCUMENTS[&version]
}

/// The newest document as this version's clients know it.
fn in_version(mut document: Value, version: Version) -> Value {
    version.undo_document(&mut document);
    examples::complete(&mut document);
    document["info"]["version"] = json!(version.as_str());
    document["components"]["parameters"]["AppstrateVersion"]["example"] = json!(version.as_str());
    document
}

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

/// What every stream takes in its query.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the document generator; requests are parsed by the chain and by `sse::StreamRequest`")]
pub struct StreamParameters {
    /// A ticket of `POST /api/realtime/tickets`: for clients that cannot send headers. It works once.
    ticket: Option<String>,
    /// The API key itself, for clients that cannot send headers. A ticket is safer: URLs end up in logs and histories of others.
    token: Option<String>,
    /// The end-user to act as.
    end_user: Option<String>,
    /// The organization, with a session.
    org_id: Option<String>,
    /// The application, with a session.
    app_id: Option<String>,
}

/// Builds the document of the newest version. Schemas recurse, so it runs on a thread with room for them.
fn newest() -> Value {
    let build = || {
        let (_, generated) = crate::router::documented().split_for_parts();
        let mut document = decorate::decorate(serde_json::to_value(generated).expect("the generator makes JSON"));
        document["components"]["parameters"] = decorate::parameters();
        document["tags"] = tags(&document);
        document
    };
    std::thread::Builder::new()
        .stack_size(16 * 1024 * 1024)
        .spawn(build)
        .expect("a thread starts")
        .join()
        .expect("building the document does not panic: a test does it")
}

/// The tags in use, each once, by name.
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
    names.sort_unstable_by_key(|name| name.to_lowercase());
    names.into_iter().map(|name| json!({ "name": name, "description": format!("{name}.") })).collect()
}
