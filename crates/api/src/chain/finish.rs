//! The outermost layer: names the request, writes problem bodies and the headers that no response lacks.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::RequestId;

use super::address::{ClientAddress, client_address};
use super::rate_limit::headers::Told;
use super::version;
use crate::answer::Neighbors;
use crate::app::App;
use crate::problem::Problem;

/// The response header with the request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The id of the request that is being served, in its extensions.
#[derive(Clone, Copy, Debug)]
pub struct CurrentRequest(pub RequestId);

/// Runs the request and completes the response. An incoming `Request-Id` is ignored: ids are ours.
pub async fn finish(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new(app.ids());
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let method = request.method().clone();
    request.extensions_mut().insert(CurrentRequest(id));
    let address = client_address(&request, app.options.trusted_proxies);
    request.extensions_mut().insert(ClientAddress(address));
    let started = app.now();

    let mut response = next.run(request).await;

    if let Some(link) = response.extensions_mut().remove::<Neighbors>().and_then(|neighbors| neighbors.link(&path, &query)) {
        response.headers_mut().insert(header::LINK, HeaderValue::try_from(link).expect("a path and an encoded query are ASCII"));
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        *response.body_mut() = Body::from(problem.body(&path, &id.to_string()));
    }
    let told = response.extensions_mut().remove::<Told>();
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from_str(&id.to_string()).expect("ids are ASCII"));
    headers.entry(version::HEADER).or_insert_with(|| HeaderValue::from_static(version::DEFAULT.as_str()));
    if let Some(told) = told {
        let version = headers[version::HEADER].to_str().unwrap_or(version::DEFAULT.as_str()).to_owned();
        told.write(&version, headers);
    }
    // No response of an API is a document to be guessed at, framed or cached by accident.
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.entry("cache-control").or_insert(HeaderValue::from_static("no-store"));

    tracing::info!(
        request.id = %id,
        http.method = %method,
        http.path = path,
        http.status = response.status().as_u16(),
        duration_ms = (app.now() - started).num_milliseconds(),
        "request served"
    );
    response
}

/// Turns a panic of a handler into a problem. The panic itself is in the log, by the panic hook.
pub fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Problem::new(domain::Code::InternalError, "Something went wrong on our side.").into_response()
}
