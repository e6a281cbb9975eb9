//! Swagger UI from the binary itself: no third-party host.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use utoipa_swagger_ui::Config;

use crate::problem::Problem;

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/api/openapi.json")));

pub(super) async fn index() -> Redirect {
    Redirect::temporary("/api/docs/index.html")
}

pub(super) async fn file(Path(file): Path<String>) -> Response {
    match utoipa_swagger_ui::serve(&file, CONFIG.clone()) {
        Ok(Some(found)) => ([(header::CONTENT_TYPE, found.content_type)], found.bytes.into_owned()).into_response(),
        Ok(None) => Problem::not_found().into_response(),
        Err(error) => Problem::internal(&*error).into_response(),
    }
}
