//! Language models of an organization.

mod create;
mod delete;
mod get;
mod list;
mod set_default;
mod test;
mod update;

use connect::outbound::is_same_origin;
use domain::ProviderKeyId;
use store::{OrgScope, Write};
use utoipa_axum::router::OpenApiRouter;
use wire::api::model::Cost;
use wire::run_spec::Price;

use crate::app::App;
use crate::problem::{Problem, Violation};
use crate::{route, rules};

/// What a model can read.
const INPUTS: [&str; 2] = ["text", "image"];

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
    if inputs.len() > INPUTS.len() {
        violations.push(Violation::new("/input", "out_of_range", format!("must have at most {} entries", INPUTS.len())));
        return;
    }
    for (at, input) in inputs.iter().enumerate().filter(|(_, input)| !INPUTS.contains(&input.as_str())) {
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

/// Refuses a key that is not there, or that was stored for another origin than that of `base_url`: whoever may point a model somewhere
/// could otherwise have the key's secret sent to themselves. `pointer` is the member of the body that is at fault for the latter.
async fn require_key(write: &Write<OrgScope>, key: ProviderKeyId, base_url: &str, pointer: &str) -> Result<(), Problem> {
    let not_found = || Problem::invalid("/providerKeyId", "not_found", "no such key");
    let key = write.provider_keys().get_to_change(key).await?.ok_or_else(not_found)?;
    if is_same_origin(&key.base_url, base_url) {
        return Ok(());
    }
    let message = "the key was stored for another origin (scheme, host and port) than the model's `baseUrl`, and is sent to no other";
    Err(Problem::invalid(pointer, "other_origin", message))
}

fn accepts_images(inputs: &[String]) -> bool {
    inputs.iter().any(|input| input == "image")
}

fn price(cost: Cost) -> Price {
    Price { input: cost.input, output: cost.output, cache_read: cost.cache_read, cache_write: cost.cache_write }
}
