//! Whether the server can work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;

/// `GET /health`: 200 while the database answers, 503 otherwise. A sandbox that the kernel refuses and
/// a lost Redis make it `degraded`.
pub async fn health(State(app): State<App>) -> Response {
    let started = app.now();
    let database = app.store.system().ping().await;
    let latency_ms = (app.now() - started).num_milliseconds();
    let sandbox = &app.options.sandbox_unavailable;
    let limits = app.limiter.health();
    let (code, status) = match (&database, sandbox.is_some() || limits.is_degraded) {
        (Err(error), _) => {
            tracing::warn!(%error, "the database does not answer the health check");
            (StatusCode::SERVICE_UNAVAILABLE, "unhealthy")
        }
        (Ok(()), true) => (StatusCode::OK, "degraded"),
        (Ok(()), false) => (StatusCode::OK, "healthy"),
    };
    let body = json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "checks": {
            "database": { "status": if database.is_ok() { "healthy" } else { "unhealthy" }, "latency_ms": latency_ms },
            "sandbox": { "status": if sandbox.is_some() { "unavailable" } else { "healthy" }, "reason": sandbox },
            "limits": {
                "status": if limits.is_degraded { "degraded" } else { "healthy" },
                "engine": limits.engine,
                "outages": limits.outages
            }
        }
    });
    (code, Json(body)).into_response()
}
