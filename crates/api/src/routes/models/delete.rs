use domain::ModelId;

use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Deletes a model.
#[utoipa::path(
    delete,
    path = "/api/models/{id}",
    operation_id = "deleteModel",
    tag = "Models",
    description = "Forgets the model. Runs that name it, or applications that override with it, are refused until they name another.",
    params(("id" = ModelId, Path, description = "The model.")),
    responses((status = 204, description = "The model is gone."))
)]
pub(super) async fn delete_model(can: Can<perm::ModelsDelete>, IdPath(id): IdPath<ModelId>) -> Result<Answer, Problem> {
    let write = can.write_org().await?;
    if !write.models().delete(id).await? {
        return Err(Problem::not_found());
    }
    Answer::deleted(write).await
}
