//! Which model carries the run: the request's, else the application's override, else the organization's default.
//!
//! A model that was named and is not there is an error, never a silent step to another price.

use domain::ModelId;
use url::Url;
use wire::run_spec::{ModelProtocol, ModelSpec};

use super::load::{Loaded, ModelSource};
use super::obstacle::Obstacle;

const DEFAULT_CONTEXT_WINDOW: u64 = 128_000;
const DEFAULT_MAX_TOKENS: u64 = 16_384;

/// The chosen model.
pub(super) fn choose(loaded: &Loaded, requested: Option<ModelId>, obstacles: &mut Vec<Obstacle>) -> Option<ModelSpec> {
    let pointer = if requested.is_some() { "/modelId" } else { "" };
    let model = match &loaded.model {
        ModelSource::Found(model) => model,
        ModelSource::Missing => {
            obstacles.push(Obstacle::new(pointer, "model_not_found", "the named model does not exist"));
            return None;
        }
        ModelSource::None => {
            obstacles.push(Obstacle::new("", "model_not_configured", "no model is configured; add one with POST /api/models"));
            return None;
        }
    };
    if !model.enabled {
        obstacles.push(Obstacle::new(pointer, "model_disabled", format!("the model \"{}\" is disabled", model.label)));
        return None;
    }
    let (Some(protocol), Ok(base_url)) = (ModelProtocol::parse(&model.api), Url::parse(&model.base_url)) else {
        obstacles.push(Obstacle::new(pointer, "model_invalid", format!("the model \"{}\" has a protocol or URL that cannot be used", model.label)));
        return None;
    };
    Some(ModelSpec {
        id: Some(model.id),
        label: model.label.clone(),
        protocol,
        base_url,
        model: model.model.clone(),
        context_window: model.context_window.unwrap_or(DEFAULT_CONTEXT_WINDOW),
        max_output_tokens: model.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
        reasoning: model.reasoning,
        accepts_images: model.accepts_images,
        price: model.price,
    })
}
