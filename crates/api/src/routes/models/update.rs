use domain::ModelId;
use serde_json::{Value, json};
use store::{Audit, ModelChange};
use wire::api::model::{Model, UpdateModel};
use wire::run_spec::ModelProtocol;

use super::{accepts_images, check_cost, check_input, check_limits, price, require_key};
use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::routes::given::given;
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
                   started end with an error, because a key never goes to another address than its own. A key and an address \
                   of different origins (scheme, host, port) are refused; change both at once.",
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
    let before = write.models().get_to_change(id).await?.ok_or_else(Problem::not_found)?;
    if body.provider_key_id.is_some() || body.base_url.is_some() {
        let base_url = body.base_url.as_deref().unwrap_or(&before.base_url);
        let pointer = if body.provider_key_id.is_some() { "/providerKeyId" } else { "/baseUrl" };
        if let Some(key) = body.provider_key_id.unwrap_or(before.provider_key) {
            require_key(&write, key, base_url, pointer).await?;
        }
    }
    write.audit(Audit::detail(changed(&body)));
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

/// The members that change, and where the key goes from then on.
fn changed(body: &UpdateModel) -> Value {
    let fields = given([
        ("label", body.label.is_some()),
        ("api", body.api.is_some()),
        ("baseUrl", body.base_url.is_some()),
        ("modelId", body.model_id.is_some()),
        ("providerKeyId", body.provider_key_id.is_some()),
        ("contextWindow", body.context_window.is_some()),
        ("maxTokens", body.max_tokens.is_some()),
        ("reasoning", body.reasoning.is_some()),
        ("input", body.input.is_some()),
        ("cost", body.cost.is_some()),
        ("enabled", body.enabled.is_some()),
    ]);
    let mut detail = json!({ "fields": fields });
    if let Some(url) = &body.base_url {
        detail["baseUrl"] = json!(url);
    }
    if let Some(key) = &body.provider_key_id {
        detail["providerKeyId"] = json!(key);
    }
    if let Some(enabled) = body.enabled {
        detail["enabled"] = json!(enabled);
    }
    detail
}
