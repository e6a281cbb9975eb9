//! Notifications: runs that have ended, until they are marked as read.

mod read;
mod read_all;
mod unread_count;
mod unread_counts_by_agent;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(unread_count::get_unread_count))
        .routes(route!(unread_counts_by_agent::get_unread_counts_by_agent))
        .routes(route!(read::read_notification))
        .routes(route!(read_all::read_all_notifications))
}
