//! `/docs/errors/<code>`: what an error means and what to do about it, from the catalogue.

use axum::response::{IntoResponse, Response};
use domain::Code;

use super::html;
use super::reference::prose;
use crate::extract::path::PagePath;
use crate::problem::Problem;

pub(super) async fn page(PagePath(slug): PagePath) -> Response {
    let Some(code) = Code::ALL.iter().find(|code| code.slug() == slug || code.as_str() == slug) else {
        return Problem::not_found().into_response();
    };
    let step = prose(code.next_step());
    html(
        code.title(),
        &format!(
            "<p><code>{}</code> · HTTP {}</p><h1>{}</h1><p>{step}</p><p><a href=\"/docs/api-reference#errors\">API reference</a></p>",
            code.as_str(),
            code.status(),
            code.title()
        ),
    )
}
