//! Swagger UI from the binary itself: no third-party host.

use std::sync::{Arc, LazyLock};

use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use utoipa_swagger_ui::Config;

use crate::extract::path::PagePath;
use crate::problem::Problem;

/// Left to itself, the page sends the address of the document to a validator on the Internet and shows its badge.
static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/api/openapi.json").validator_url("none")));

/// Its scripts are files of this server; styles and small pictures are also written into the page by them.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; \
                      frame-ancestors 'none'";

pub(super) async fn index() -> Redirect {
    Redirect::temporary("/api/docs/index.html")
}

pub(super) async fn file(PagePath(file): PagePath) -> Response {
    match utoipa_swagger_ui::serve(&file, CONFIG.clone()) {
        Ok(Some(found)) => {
            let headers = [(header::CONTENT_TYPE, found.content_type.as_str()), (header::CONTENT_SECURITY_POLICY, POLICY)];
            (headers, found.bytes.into_owned()).into_response()
        }
        Ok(None) => Problem::not_found().into_response(),
        Err(error) => Problem::internal(&*error).into_response(),
    }
}
