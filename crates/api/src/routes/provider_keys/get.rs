use domain::ProviderKeyId;
use wire::api::model::ProviderKey;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Reads a vendor's key.
#[utoipa::path(
    get,
    path = "/api/provider-keys/{id}",
    operation_id = "getProviderKey",
    tag = "Models",
    description = "A stored vendor key of the organization, without its secret.",
    params(("id" = ProviderKeyId, Path, description = "The key.")),
    responses((status = 200, description = "The key, without its secret.", body = ProviderKey))
)]
pub(super) async fn get_provider_key(can: Can<perm::ProviderKeysRead>, IdPath(id): IdPath<ProviderKeyId>) -> Result<Answer, Problem> {
    let key = can.read_org().await?.provider_keys().get(id).await?.ok_or_else(Problem::not_found)?;
    Answer::object(&convert::provider_key(key))
}
