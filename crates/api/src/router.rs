//! The whole route table, and the chain around it.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler as _;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use domain::Code;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::chain::{audit, authenticate, drain, finish, idempotency, rate_limit};
use crate::problem::Problem;
use crate::routes;
use crate::versions::edge;

/// Every documented operation.
pub fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(routes::auth::routes())
        .merge(routes::me::routes())
        .merge(routes::profile::routes())
        .merge(routes::welcome::routes())
        .merge(routes::orgs::routes())
        .merge(routes::members::routes())
        .merge(routes::invitations::routes())
        .merge(routes::applications::routes())
        .merge(routes::end_users::routes())
        .merge(routes::api_keys::routes())
        .merge(routes::packages::routes())
        .merge(routes::installations::routes())
        .merge(routes::models::routes())
        .merge(routes::provider_keys::routes())
        .merge(routes::proxies::routes())
        .merge(routes::connections::routes())
        .merge(routes::agents::routes())
        .merge(routes::runs::routes())
        .merge(routes::memories::routes())
        .merge(routes::realtime::routes())
        .merge(routes::notifications::routes())
        .merge(routes::audit_log::routes())
}

/// The server's HTTP service.
pub fn router(app: App) -> Router {
    let (operations, _) = documented().split_for_parts();
    around(app, operations)
}

/// The chain around these operations, and beside them what describes the API.
pub fn around(app: App, operations: Router<App>) -> Router {
    rate_limit::route::prepare();
    Router::new()
        .merge(operations)
        // Within the audit, so that a panic leaves its row like every other failure.
        .route_layer(CatchPanicLayer::custom(finish::panicked))
        .route_layer(from_fn(edge::speak))
        .route_layer(from_fn_with_state(app.clone(), idempotency::idempotency))
        .route_layer(from_fn_with_state(app.clone(), rate_limit::by_identity))
        .route_layer(from_fn_with_state(app.clone(), audit::audit))
        .route_layer(from_fn_with_state(app.clone(), authenticate::authenticate))
        .merge(routes::docs::routes())
        .route("/health", get(routes::health::health))
        .route("/metrics", get(routes::metrics::metrics))
        .method_not_allowed_fallback(wrong_method.layer(from_fn_with_state(app.clone(), audit::unrouted)))
        .fallback(unknown_route.layer(from_fn_with_state(app.clone(), audit::unrouted)))
        .layer(CatchPanicLayer::custom(finish::panicked))
        .layer(from_fn_with_state(app.clone(), rate_limit::by_address))
        .layer(from_fn_with_state(app.clone(), finish::finish))
        .layer(from_fn_with_state(app.clone(), drain::drain))
        .with_state(app)
}

async fn unknown_route(request: Request) -> Problem {
    Problem::new(Code::NotFound, format!("There is no route {} {}.", request.method(), request.uri().path()))
}

async fn wrong_method(request: Request) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} does not take {}.", request.uri().path(), request.method()))
}
