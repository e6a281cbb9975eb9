//! Which bucket a request belongs to, read from the route that it met.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams};
use axum::http::Method;
use axum::http::request::Parts;
use serde_json::Value;

use super::class::Class;
use crate::openapi::guard;
use crate::routes::docs;

/// Beside the pages of [`docs::PAGES`], which all are read without credentials too.
const UNDOCUMENTED: &[(&str, Class)] = &[
    // Several probes may look from one address, and a server that is taken for dead is worse than one that is asked often.
    ("/health", Class::Read),
    ("/metrics", Class::Public),
];

/// One operation, as it is counted.
#[derive(Clone, Copy)]
struct Entry {
    class: Class,
    /// Needs no credentials, so it is counted by address.
    is_open: bool,
}

/// The operations by route template and method.
static ENTRIES: LazyLock<HashMap<String, Vec<(Method, Entry)>>> = LazyLock::new(|| {
    let mut entries: HashMap<String, Vec<(Method, Entry)>> = HashMap::new();
    let pages = docs::PAGES.iter().map(|(path, _)| (*path, Class::Public));
    for (path, class) in pages.chain(UNDOCUMENTED.iter().copied()) {
        entries.entry(path.to_owned()).or_default().push((Method::GET, Entry { class, is_open: true }));
    }
    let (_, mut document) = crate::router::documented().split_for_parts();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in guard::operations(item) {
            let text = |name: &str| operation.extensions.as_ref().and_then(|extensions| extensions.get(name)).and_then(Value::as_str);
            let class = Class::ALL.into_iter().find(|class| Some(class.as_str()) == text("x-rate-limit"));
            let class = class.expect("every operation gets its class at registration");
            let method = method.to_uppercase().parse().expect("a method of the document is one");
            entries.entry(path.clone()).or_default().push((method, Entry { class, is_open: text("x-permission") == Some("public") }));
        }
    }
    entries
});

/// Reads the table of routes now instead of with the first request.
pub fn prepare() {
    LazyLock::force(&ENTRIES);
}

/// How a request is counted; in its extensions.
#[derive(Clone, Debug)]
pub struct Route {
    pub class: Class,
    /// Counted by address, before anybody asks who calls.
    pub is_open: bool,
    /// `GET:/api/runs/{id}`, or with the real path where the class counts by path. `unknown` for all that is no route.
    pub name: Arc<str>,
    /// Whether the request starts an inline run, which has a limit of its own.
    pub is_inline_run: bool,
}

impl Route {
    pub async fn of(parts: &mut Parts) -> Self {
        let unknown = Self { class: Class::Public, is_open: true, name: "unknown".into(), is_inline_run: false };
        let Some(template) = parts.extensions.get::<MatchedPath>().cloned() else { return unknown };
        let template = template.as_str();
        // A route for GET answers HEAD.
        let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
        let found = ENTRIES.get(template).and_then(|entries| entries.iter().find(|(known, _)| *known == method));
        let Some((_, Entry { class, is_open })) = found else { return unknown };
        let (class, is_open) = (*class, *is_open);
        let name = if class.ceiling_name().is_some() {
            format!("{method}:{}", real_path(parts, template).await)
        } else {
            format!("{method}:{template}")
        };
        Self { class, is_open, name: name.into(), is_inline_run: template.starts_with("/api/runs/inline") }
    }
}

/// The template with what the request put into it, decoded: writing one path in several ways gains nothing.
async fn real_path(parts: &mut Parts, template: &str) -> String {
    let Ok(parameters) = RawPathParams::from_request_parts(parts, &()).await else { return template.to_owned() };
    let mut path = template.to_owned();
    for (name, value) in &parameters {
        path = path.replacen(&format!("{{{name}}}"), value, 1);
    }
    path
}
