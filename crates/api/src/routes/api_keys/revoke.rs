use domain::KeyId;

use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Revokes an API key.
#[utoipa::path(
    delete,
    path = "/api/api-keys/{id}",
    operation_id = "revokeApiKey",
    tag = "API keys",
    description = "Ends the key for good, from the next request on and on every node.",
    params(("id" = KeyId, Path, description = "The key.")),
    responses((status = 204, description = "The key is revoked."))
)]
pub(super) async fn revoke_api_key(can: Can<perm::ApiKeysRevoke>, IdPath(id): IdPath<KeyId>) -> Result<Answer, Problem> {
    let write = can.write().await?;
    if !write.api_keys().revoke(id).await? {
        return Err(Problem::not_found());
    }
    Answer::deleted(write).await
}
