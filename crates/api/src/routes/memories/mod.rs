//! What the runs of an agent have remembered.

mod delete;
mod list;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(route!(list::list_memories)).routes(route!(delete::delete_memory))
}
