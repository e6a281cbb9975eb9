//! The audit log of an application, or of the organization outside its applications.

mod export;
mod list;
mod objects;
mod public_keys;
mod query;
mod seals;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(list::list_audit_log))
        .routes(route!(seals::list_audit_seals))
        .routes(route!(public_keys::list_audit_public_keys))
}
