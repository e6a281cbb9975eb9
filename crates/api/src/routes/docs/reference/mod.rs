//! `/docs/api-reference`: the OpenAPI document as one page to read, made once from the document itself. No script, no third-party host.

mod operation;
mod schema;

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::response::Response;
use serde_json::Value;

use super::html;
use crate::openapi::DOCUMENT;

pub(super) async fn page() -> Response {
    html("API reference", &PAGE)
}

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(&DOCUMENT).expect("the document is JSON");
    render(&document)
});

fn render(document: &Value) -> String {
    let mut page = String::from(INTRODUCTION);
    let tags: Vec<&str> = document["tags"].as_array().into_iter().flatten().filter_map(|tag| tag["name"].as_str()).collect();
    page.push_str("<nav><ul>");
    for tag in &tags {
        put(&mut page, format_args!("<li><a href=\"#{}\">{}</a></li>", anchor(tag), escape(tag)));
    }
    page.push_str("<li><a href=\"#errors\">Errors</a></li></ul></nav>");
    for tag in &tags {
        put(&mut page, format_args!("<h2 id=\"{}\">{}</h2>", anchor(tag), escape(tag)));
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if operation["tags"].as_array().into_iter().flatten().any(|name| name == tag) {
                    operation::render(&mut page, document, method, path, operation);
                }
            }
        }
    }
    page.push_str("<h2 id=\"errors\">Errors</h2><p>Every error is a problem document (RFC 9457) with a stable <code>code</code>.</p><ul>");
    for code in domain::Code::ALL {
        let (slug, name, status) = (code.slug(), code.as_str(), code.status());
        put(&mut page, format_args!("<li><a href=\"/docs/errors/{slug}\"><code>{name}</code></a> ({status})</li>"));
    }
    page.push_str("</ul>");
    page
}

const INTRODUCTION: &str = "<h1>API reference</h1>\
    <p>Every call is relative to this server. Authenticate with <code>Authorization: Bearer ask_…</code>, or with a session cookie and \
    <code>X-Org-Id</code> (and <code>X-App-Id</code> inside an application). <code>Appstrate-User: eu_…</code> makes any call with a key act as that \
    end-user. <code>Appstrate-Version</code> names the version to speak. <code>Idempotency-Key</code> makes a change safe to repeat: the same key \
    with the same request gets the first answer again for 24 hours, and the change is made once.</p>\
    <p>The same as <a href=\"/api/openapi.json\">OpenAPI document</a>, and to try out in <a href=\"/api/docs\">Swagger UI</a>.</p>";

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("writing to text works");
}

fn anchor(tag: &str) -> String {
    tag.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text of the document: escaped, with what stands in backquotes as code.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::new();
    for (number, part) in escape(text).split('`').enumerate() {
        let tag = if number % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
        out.extend([tag.0, part, tag.1]);
    }
    out.replace("\n\n", "</p><p>")
}

/// What a reference points at; the value itself if it is none.
fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_every_error_has_its_place() {
        let document: Value = serde_json::from_str(&DOCUMENT).unwrap();
        for operation in document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values()) {
            let place = format!("id=\"{}\"", operation["operationId"].as_str().unwrap());
            assert!(PAGE.contains(&place), "{place}");
        }
        assert!(domain::Code::ALL.iter().all(|code| PAGE.contains(&format!("/docs/errors/{}\"", code.slug()))));
    }

    #[test]
    fn no_text_is_taken_for_markup() {
        assert_eq!(prose("a < b & `<script>`"), "a &lt; b &amp; <code>&lt;script&gt;</code>");
    }
}
