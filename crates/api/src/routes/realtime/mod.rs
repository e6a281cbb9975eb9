//! Live streams (server-sent events), and the tickets that open them.

mod agent_runs;
mod agent_runs_by_id;
mod create_ticket;
mod run;
mod runs;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::chain::rate_limit::class::Class;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        // A page makes one for each stream that it opens, and all end-users of a key share its budget.
        .routes(route!(create_ticket::create_stream_ticket, Class::Read))
        .routes(route!(run::stream_run))
        .routes(route!(runs::stream_runs))
        .routes(route!(agent_runs::stream_agent_runs))
        .routes(route!(agent_runs_by_id::stream_agent_runs_by_id))
}
