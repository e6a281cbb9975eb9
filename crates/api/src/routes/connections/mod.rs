//! Connections: credentials of a provider, owned by whoever calls: end-user, member, or the application itself.

mod connect_api_key;
mod connect_credentials;
mod disconnect;
mod list;
mod store_fields;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::route;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(list::list_connections))
        .routes(route!(connect_api_key::connect_api_key))
        .routes(route!(connect_credentials::connect_credentials))
        .routes(route!(disconnect::disconnect))
}
