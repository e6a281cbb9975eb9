//! Runs: started from an agent, from a body, or inline; then read, followed and cancelled.

pub(super) mod accept;
mod cancel;
mod create;
mod create_inline;
mod get;
mod list;
mod logs;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(create::create_run))
        .routes(route!(create_inline::create_inline_run))
        .routes(route!(list::list_runs))
        .routes(route!(get::get_run))
        .routes(route!(logs::list_run_logs))
        .routes(route!(cancel::cancel_run))
}
