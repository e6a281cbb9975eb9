use domain::KeyId;
use wire::api::api_key::ApiKey;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Reads an API key.
#[utoipa::path(
    get,
    path = "/api/api-keys/{id}",
    operation_id = "getApiKey",
    tag = "API keys",
    description = "A key of the application, without its secret; also one that was revoked.",
    params(("id" = KeyId, Path, description = "The key.")),
    responses((status = 200, description = "The key.", body = ApiKey))
)]
pub(super) async fn get_api_key(can: Can<perm::ApiKeysRead>, IdPath(id): IdPath<KeyId>) -> Result<Answer, Problem> {
    let key = can.read().await?.api_keys().get(id).await?.ok_or_else(Problem::not_found)?;
    Answer::object(&convert::api_key(can.scope.app(), key))
}
