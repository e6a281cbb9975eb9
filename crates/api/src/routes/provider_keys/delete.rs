use domain::{Code, ProviderKeyId};
use store::StoreError;

use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Deletes a vendor's key.
#[utoipa::path(
    delete,
    path = "/api/provider-keys/{id}",
    operation_id = "deleteProviderKey",
    tag = "Models",
    description = "Forgets the key. Refused while a model uses it.",
    params(("id" = ProviderKeyId, Path, description = "The key.")),
    responses((status = 204, description = "The key is gone."), (status = 409, description = "A model uses the key."))
)]
pub(super) async fn delete_provider_key(can: Can<perm::ProviderKeysDelete>, IdPath(id): IdPath<ProviderKeyId>) -> Result<Answer, Problem> {
    let write = can.write_org().await?;
    let deleted = write.provider_keys().delete(id).await.map_err(|error| match error {
        StoreError::InUse => Problem::new(Code::ModelInUse, "A model uses this key; delete the model first."),
        other => other.into(),
    })?;
    if !deleted {
        return Err(Problem::not_found());
    }
    Answer::deleted(write).await
}
