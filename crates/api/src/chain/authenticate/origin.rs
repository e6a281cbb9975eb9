//! Requests that a browser sends for another site.

use axum::extract::Request;
use axum::http::{Method, header};
use domain::Code;

use crate::app::App;
use crate::problem::Problem;

/// Refuses an unsafe request that a browser sends for another site. `SameSite=Lax` is the first lock, this the second.
///
/// Browsers say where a request comes from: in `Origin`, or where they leave that out in `Sec-Fetch-Site`, which no page can set.
/// Whoever sends neither is no browser, and carries no cookie that it was not given on purpose.
pub(super) fn check(app: &App, request: &Request) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let refused = |param| Err(Problem::new(Code::Forbidden, "The request comes from a site that may not use this server.").param(param));
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) if is_trusted(app, origin.to_str().unwrap_or_default()) => Ok(()),
        (Some(_), _) => refused("Origin"),
        (None, _) => match request.headers().get("sec-fetch-site").map(header::HeaderValue::as_bytes) {
            None | Some(b"same-origin" | b"none") => Ok(()),
            Some(_) => refused("Sec-Fetch-Site"),
        },
    }
}

fn is_trusted(app: &App, origin: &str) -> bool {
    origin == app.options.app_url.origin().ascii_serialization() || app.options.trusted_origins.iter().any(|trusted| trusted == origin)
}
