use serde_json::json;
use store::{Audit, NewModel};
use wire::api::model::{CreateModel, Model};
use wire::run_spec::ModelProtocol;

use super::{accepts_images, check_cost, check_input, check_limits, price, require_key};
use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

const DEFAULT_CONTEXT_WINDOW: u64 = 128_000;
const DEFAULT_MAX_TOKENS: u64 = 16_384;

impl rules::Checked for CreateModel {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/label", &self.label, 1..=100);
        rules::protocol(&mut violations, "/api", &self.api);
        rules::base_url(&mut violations, "/baseUrl", &self.base_url);
        rules::length(&mut violations, "/modelId", &self.model_id, 1..=200);
        check_limits(&mut violations, self.context_window, self.max_tokens);
        check_input(&mut violations, &self.input);
        check_cost(&mut violations, self.cost.as_ref());
        violations
    }
}

/// Adds a model.
#[utoipa::path(
    post,
    path = "/api/models",
    operation_id = "createModel",
    tag = "Models",
    description = "Configures a model of the organization. The first becomes its default. A key is used only at the origin (scheme, host, port) that it was \
                   stored for.",
    request_body = CreateModel,
    responses((status = 201, description = "The model.", body = Model))
)]
pub(super) async fn create_model(can: Can<perm::ModelsWrite>, Json(body): Json<CreateModel>) -> Result<Answer, Problem> {
    let write = can.write_org().await?;
    if let Some(key) = body.provider_key_id {
        require_key(&write, key, &body.base_url, "/providerKeyId").await?;
    }
    let is_default = write.models().default_to_change().await?.is_none();
    let new = NewModel {
        label: body.label,
        protocol: ModelProtocol::parse(&body.api).expect("checked with the body"),
        base_url: body.base_url,
        model: body.model_id,
        provider_key: body.provider_key_id,
        context_window: body.context_window.unwrap_or(DEFAULT_CONTEXT_WINDOW),
        max_output_tokens: body.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
        reasoning: body.reasoning,
        accepts_images: accepts_images(&body.input),
        price: body.cost.map(price),
        enabled: true,
        is_default,
        created_by: can.user,
    };
    write.audit(Audit::detail(json!({
        "label": new.label,
        "baseUrl": new.base_url,
        "modelId": new.model,
        "providerKeyId": new.provider_key,
        "isDefault": is_default,
    })));
    let model = write.models().create(new).await?;
    let location = format!("/api/models/{}", model.id);
    Answer::created(write, &convert::model(model), location).await
}
