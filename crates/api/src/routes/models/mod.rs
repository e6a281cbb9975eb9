//! Language models of an organization.

mod create;
mod delete;
mod get;
mod list;
mod set_default;
mod test;
mod update;

use utoipa_axum::router::OpenApiRouter;
use wire::api::model::Cost;
use wire::run_spec::Price;

use crate::app::App;
use crate::problem::Violation;
use crate::{route, rules};

/// Dollars for a million tokens; no vendor is near it.
const HIGHEST_PRICE: f64 = 1_000_000.0;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(route!(create::create_model))
        .routes(route!(list::list_models))
        .routes(route!(get::get_model))
        .routes(route!(update::update_model))
        .routes(route!(delete::delete_model))
        .routes(route!(set_default::set_default_model))
        .routes(route!(test::test_model))
}

fn check_limits(violations: &mut Vec<Violation>, context_window: Option<u64>, max_tokens: Option<u64>) {
    rules::range(violations, "/contextWindow", context_window, 1024..=100_000_000);
    rules::range(violations, "/maxTokens", max_tokens, 1..=10_000_000);
}

fn check_input(violations: &mut Vec<Violation>, inputs: &[String]) {
    for (at, input) in inputs.iter().enumerate().filter(|(_, input)| !matches!(input.as_str(), "text" | "image")) {
        violations.push(Violation::new(format!("/input/{at}"), "invalid_value", format!("\"{input}\" must be text or image")));
    }
}

fn check_cost(violations: &mut Vec<Violation>, cost: Option<&Cost>) {
    let Some(cost) = cost else { return };
    for (name, price) in [("input", cost.input), ("output", cost.output), ("cacheRead", cost.cache_read), ("cacheWrite", cost.cache_write)]
    {
        if !(0.0..=HIGHEST_PRICE).contains(&price) {
            violations.push(Violation::new(format!("/cost/{name}"), "out_of_range", "must be dollars for a million tokens, 0 or more"));
        }
    }
}

fn accepts_images(inputs: &[String]) -> bool {
    inputs.iter().any(|input| input == "image")
}

fn price(cost: Cost) -> Price {
    Price { input: cost.input, output: cost.output, cache_read: cost.cache_read, cache_write: cost.cache_write }
}
