//! What the server shows by itself: the reference (OpenAPI document, Swagger UI, a page to read, one for each error code, one for the
//! versions), the front page, and the pages that mails lead to as long as there is no dashboard.

mod account;
mod errors;
mod front;
mod reference;
mod swagger;
mod versions;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use crate::app::App;
use crate::chain::version;
use crate::extract::paging;
use crate::openapi;
use crate::problem::Problem;

/// Makes the route of one page.
type Page = fn() -> MethodRouter<App>;

/// Every page by its path, all of them read without credentials. Limits on requests take the paths from here.
pub const PAGES: [(&str, Page); 12] = [
    ("/", || get(front::page)),
    ("/invite/{token}", || get(account::invite)),
    ("/verify-email", || get(account::verify_email)),
    ("/reset-password", || get(account::reset_password)),
    ("/forgot-password", || get(account::forgot_password)),
    ("/login", || get(account::login)),
    ("/api/openapi.json", || get(document)),
    ("/api/docs", || get(swagger::index)),
    ("/api/docs/{*file}", || get(swagger::file)),
    ("/docs/api-reference", || get(reference::page)),
    ("/docs/errors/{code}", || get(errors::page)),
    ("/docs/versions", || get(versions::page)),
];

/// Routes outside the document: they describe the API, or lead people to it, and are not part of it.
pub fn routes() -> Router<App> {
    PAGES.into_iter().fold(Router::new(), |router, (path, page)| router.route(path, page()))
}

/// The document of the version that `?version=` names, else the header, else the default.
async fn document(headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let version = match paging::parameter(query.as_deref(), "version", 32)? {
        Some(text) => version::named(&text).map_err(|problem| problem.param("version"))?,
        None => version::requested(&headers)?.unwrap_or(version::DEFAULT),
    };
    let media_type = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    let mut response = (media_type, [(header::VARY, "Appstrate-Version")], openapi::document(version)).into_response();
    response.extensions_mut().insert(version);
    Ok(response)
}

/// A small page in the server's own style; no third-party host, no script.
fn html(title: &str, body: &str) -> Response {
    page(title, body, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}

/// The address of a page may hold a secret, so that no other server is told where a visitor comes from, and nothing keeps the page.
fn page(title: &str, body: &str, policy: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title} · Appstrate</title>\
         <style>:root{{color-scheme:light dark}}body{{font:16px/1.6 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}}\
         code,pre{{font:14px/1.5 ui-monospace,monospace}}pre{{padding:1rem;overflow:auto;border:1px solid #8885;border-radius:6px}}table{{border-collapse:collapse}}\
         td,th{{border:1px solid #8885;padding:.3rem .6rem;text-align:left;vertical-align:top}}h2{{margin-top:3rem}}\
         input,button{{font:inherit;padding:.3rem .6rem;margin:.3rem .6rem .3rem 0}}</style></head><body>{body}</body></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, page).into_response()
}
