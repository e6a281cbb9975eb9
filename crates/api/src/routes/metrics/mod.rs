//! What the server counts about itself, for its operator.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::Code;

use crate::app::App;
use crate::metrics::Page;
use crate::problem::Problem;

/// The exposition format of Prometheus.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// `GET /metrics`, for whoever knows `METRICS_TOKEN`. Without that setting there is no such route: behind a proxy on the same machine a
/// caller's address says nothing.
pub async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let Some(token) = &app.options.metrics_token else { return Err(Problem::not_found()) };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    // By their digests, so that the time to compare tells nothing of the token.
    if given.map(auth::token::hash) != Some(auth::token::hash(token.expose())) {
        return Err(Problem::new(Code::Unauthorized, "Send the operator's METRICS_TOKEN as a bearer token."));
    }
    let mut page = Page::default();
    app.metrics().write(&mut page);
    let limits = app.limiter.health();
    page.gauge(
        "appstrate_limiter_degraded",
        "1 while Redis is lost and this node counts rate limits for itself.",
        limits.is_degraded.into(),
    );
    page.counter("appstrate_limiter_outages_total", "How often Redis was lost for rate limits.", limits.outages);
    let outages = app.store.live().outages();
    page.counter("appstrate_live_outages_total", "How often this node could not reach or hear the others.", outages);
    let backlog = app.store.system().backlog().await;
    page.gauge("appstrate_database_up", "1 if the database has answered just now.", backlog.is_ok().into());
    match backlog {
        Ok(backlog) => {
            page.gauge("appstrate_runs_active", "Runs of all organizations that have not ended.", backlog.active_runs);
            page.gauge(
                "appstrate_audit_unsealed_rows",
                "Rows of the audit log that wait for a seal; counted up to 10000.",
                backlog.unsealed_rows,
            );
        }
        Err(error) => tracing::warn!(%error, "the database does not answer the metrics"),
    }
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], page.into_text()).into_response())
}
