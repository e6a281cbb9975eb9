//! Which model carries the run: the request's, else the application's override, else the organization's default.
//!
//! A model that was named and is not there is an error, never a silent step to another price.

use domain::ModelId;
use url::Url;
use wire::run_spec::ModelSpec;

use super::load::{Loaded, ModelSource};
use super::obstacle::Obstacle;

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
    let Ok(base_url) = Url::parse(&model.base_url) else {
        obstacles.push(Obstacle::new(pointer, "model_invalid", format!("the model \"{}\" has a URL that cannot be used", model.label)));
        return None;
    };
    Some(ModelSpec {
        id: Some(model.id),
        label: model.label.clone(),
        protocol: model.protocol,
        base_url,
        model: model.model.clone(),
        context_window: model.context_window,
        max_output_tokens: model.max_output_tokens,
        reasoning: model.reasoning,
        accepts_images: model.accepts_images,
        price: model.price,
    })
}
