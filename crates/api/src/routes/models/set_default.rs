use serde_json::json;
use store::{Audit, ModelChange};
use wire::api::model::DefaultModel;

use crate::answer::Answer;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for DefaultModel {
    fn check(&self) -> Vec<Violation> {
        Vec::new()
    }
}

/// Chooses the default model.
#[utoipa::path(
    put,
    path = "/api/models/default",
    operation_id = "setDefaultModel",
    tag = "Models",
    description = "The model of runs for which neither the request nor the application chooses one. With null there is none, and such runs are refused.",
    request_body = DefaultModel,
    responses((status = 200, description = "The choice.", body = DefaultModel))
)]
pub(super) async fn set_default_model(can: Can<perm::ModelsWrite>, Json(body): Json<DefaultModel>) -> Result<Answer, Problem> {
    let write = can.write_org().await?;
    let detail = json!({ "modelId": body.model_id });
    write.audit(body.model_id.map_or_else(|| Audit::detail(detail.clone()), |id| Audit::about(&id, detail.clone())));
    if let Some(id) = body.model_id {
        let change = ModelChange { is_default: Some(true), ..ModelChange::default() };
        write.models().update(id, change).await?.ok_or_else(|| Problem::invalid("/modelId", "not_found", "no such model"))?;
    } else if let Some(before) = write.models().default().await? {
        write.models().update(before.id, ModelChange { is_default: Some(false), ..ModelChange::default() }).await?;
    }
    Answer::done(write, 200, &body).await
}
