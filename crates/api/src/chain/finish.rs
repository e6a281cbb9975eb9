//! The outermost layer: names the request, writes problem bodies and the headers that no response lacks.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::RequestId;
use tracing::Instrument as _;

use super::address::{ClientAddress, client_address};
use super::idempotency::{self, Replayed};
use super::rate_limit::headers::Told;
use super::{redact, version};
use crate::answer::Neighbors;
use crate::app::App;
use crate::problem::Problem;
use crate::versions::{Deprecation, Version, edge};

/// The response header with the request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// How to authenticate: no 401 may lack it (RFC 9110 §15.5.2). A browser asks nobody for a password over it.
const CHALLENGE: &str = r#"Bearer realm="Appstrate""#;

/// The id of the request that is being served, in its extensions.
#[derive(Clone, Copy, Debug)]
pub struct CurrentRequest(pub RequestId);

/// What the answer takes from its request.
struct Asked {
    id: RequestId,
    method: Method,
    path: String,
    query: String,
    /// The version, as far as the headers say.
    version: Version,
}

/// Runs the request and completes the response. An incoming `Request-Id` is ignored: ids are ours.
pub async fn finish(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let asked = Asked {
        id: RequestId::new(app.ids()),
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        version: version::preliminary(request.headers()),
    };
    let address = client_address(&request, app.options.trusted_proxies);
    let extensions = request.extensions_mut();
    extensions.insert(CurrentRequest(asked.id));
    extensions.insert(ClientAddress(address));
    extensions.insert(asked.version);
    let started = (app.now(), Instant::now());
    let route = request.extensions().get::<MatchedPath>().cloned();

    // At the level of errors, so that no filter takes the id from what went wrong.
    let span = tracing::error_span!("request", request.id = %asked.id);
    let mut response = next.run(request).instrument(span).await;
    complete(&app, &asked, &mut response);
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    app.metrics().answered(route, &asked.method, response.status(), started.1.elapsed());

    tracing::info!(
        request.id = %asked.id,
        http.method = %asked.method,
        http.path = %redact::path(&asked.path),
        http.status = response.status().as_u16(),
        duration_ms = (app.now() - started.0).num_milliseconds(),
        "request served"
    );
    response
}

fn complete(app: &App, asked: &Asked, response: &mut Response) {
    let version = response.extensions_mut().remove::<Version>().unwrap_or(asked.version);
    let deprecation = app.deprecation(version);
    let neighbors = response.extensions_mut().remove::<Neighbors>();
    let links =
        [neighbors.and_then(|neighbors| neighbors.link(&asked.path, &asked.query)), deprecation.map(|_| Deprecation::links(version))];
    let links: Vec<String> = links.into_iter().flatten().collect();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        *response.body_mut() = Body::from(edge::problem(version, problem.body(&asked.path, &asked.id.to_string())));
    }
    let is_replayed = response.extensions_mut().remove::<Replayed>().is_some();
    let told = response.extensions_mut().remove::<Told>();
    let is_unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    if !links.is_empty() {
        let links = HeaderValue::try_from(links.join(", ")).expect("paths, encoded queries and dates are ASCII");
        headers.insert(header::LINK, links);
    }
    headers.insert(REQUEST_ID, HeaderValue::from_str(&asked.id.to_string()).expect("ids are ASCII"));
    headers.insert(version::HEADER, HeaderValue::from_static(version.as_str()));
    if let Some(told) = told {
        told.write(version.as_str(), headers);
    }
    if let Some(deprecation) = deprecation {
        deprecation.write(headers);
    }
    if is_unauthorized {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    if idempotency::is_unsafe(&asked.method) {
        headers.insert(idempotency::REPLAYED, HeaderValue::from_static(if is_replayed { "true" } else { "false" }));
    }
    // No response of an API is a document to be guessed at, framed or cached by accident.
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.entry("cache-control").or_insert(HeaderValue::from_static("no-store"));
    edge::headers(version, headers);
}

/// Turns a panic of a handler into a problem. The panic itself is in the log, by the panic hook.
pub fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Problem::new(domain::Code::InternalError, "Something went wrong on our side.").into_response()
}
