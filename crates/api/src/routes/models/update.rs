use domain::ModelId;
use store::ModelChange;
use wire::api::model::{Model, UpdateModel};
use wire::run_spec::ModelProtocol;

use super::{accepts_images, check_cost, check_input, check_limits, price};
use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for UpdateModel {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/label", self.label.as_deref(), 100);
        if let Some(api) = &self.api {
            rules::protocol(&mut violations, "/api", api);
        }
        if let Some(url) = &self.base_url {
            rules::base_url(&mut violations, "/baseUrl", url);
        }
        rules::optional_length(&mut violations, "/modelId", self.model_id.as_deref(), 200);
        check_limits(&mut violations, self.context_window, self.max_tokens);
        check_input(&mut violations, self.input.as_deref().unwrap_or_default());
        check_cost(&mut violations, self.cost.as_ref().and_then(Option::as_ref));
        violations
    }
}

/// Changes a model.
#[utoipa::path(
    patch,
    path = "/api/models/{id}",
    operation_id = "updateModel",
    tag = "Models",
    description = "Missing members stay; `null` clears the key or the price. Runs that were accepted before keep what they were accepted with; when the address changes, those that have not \
                   started end with an error, because a key never goes to another address than its own.",
    params(("id" = ModelId, Path, description = "The model.")),
    request_body = UpdateModel,
    responses((status = 200, description = "The model after the change.", body = Model))
)]
pub(super) async fn update_model(
    can: Can<perm::ModelsWrite>,
    IdPath(id): IdPath<ModelId>,
    Json(body): Json<UpdateModel>,
) -> Result<Answer, Problem> {
    let write = can.write_org().await?;
    // A model that is not there is told before a key that is not.
    if write.models().get(id).await?.is_none() {
        return Err(Problem::not_found());
    }
    if let Some(Some(key)) = body.provider_key_id
        && write.provider_keys().get(key).await?.is_none()
    {
        return Err(Problem::invalid("/providerKeyId", "not_found", "no such key"));
    }
    let change = ModelChange {
        label: body.label,
        protocol: body.api.map(|api| ModelProtocol::parse(&api).expect("checked with the body")),
        base_url: body.base_url,
        model: body.model_id,
        provider_key: body.provider_key_id,
        context_window: body.context_window,
        max_output_tokens: body.max_tokens,
        reasoning: body.reasoning,
        accepts_images: body.input.as_deref().map(accepts_images),
        price: body.cost.map(|cost| cost.map(price)),
        enabled: body.enabled,
        is_default: None,
    };
    let model = write.models().update(id, change).await?.ok_or_else(Problem::not_found)?;
    Answer::done(write, 200, &convert::model(model)).await
}
