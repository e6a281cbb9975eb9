//! Live streams (server-sent events, WHATWG HTML §9.2).

mod run;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(route!(run::stream_run))
}
