//! Keys of model vendors. They go in and never come out.

mod create;
mod delete;
mod get;
mod list;
mod update;

use connect::vault::Where;
use domain::Secret;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::problem::Violation;
use crate::{route, rules};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(create::create_provider_key))
        .routes(route!(list::list_provider_keys))
        .routes(route!(get::get_provider_key))
        .routes(route!(update::update_provider_key))
        .routes(route!(delete::delete_provider_key))
}

/// Where a key's secret is sealed; `row` is its id.
fn place(row: &str) -> Where<'_> {
    Where { table: "provider_keys", column: "sealed", row }
}

fn check_secret(violations: &mut Vec<Violation>, secret: &Secret) {
    rules::length(violations, "/apiKey", secret.expose(), 1..=4096);
    if secret.expose().bytes().any(|byte| !(0x21..=0x7e).contains(&byte)) {
        violations.push(Violation::new("/apiKey", "invalid_value", "must be visible ASCII: it travels in a header"));
    }
}
