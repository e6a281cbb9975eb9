use domain::ModelId;
use wire::api::model::Model;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Reads a model.
#[utoipa::path(
    get,
    path = "/api/models/{id}",
    operation_id = "getModel",
    tag = "Models",
    description = "A model of the organization.",
    params(("id" = ModelId, Path, description = "The model.")),
    responses((status = 200, description = "The model.", body = Model))
)]
pub(super) async fn get_model(can: Can<perm::ModelsRead>, IdPath(id): IdPath<ModelId>) -> Result<Answer, Problem> {
    let model = can.read_org().await?.models().get(id).await?.ok_or_else(Problem::not_found)?;
    Answer::object(&convert::model(model))
}
