use wire::api::list::List;
use wire::api::model::ProviderKey;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists vendors' keys.
#[utoipa::path(
    get,
    path = "/api/provider-keys",
    operation_id = "listProviderKeys",
    tag = "Models",
    description = "The stored vendor keys of the organization, newest first, without their secrets.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of keys.", body = List<ProviderKey>))
)]
pub(super) async fn list_provider_keys(can: Can<perm::ProviderKeysRead>, paging: Paging) -> Result<Answer, Problem> {
    let page = can.read_org().await?.provider_keys().list(paging.into()).await?;
    Answer::list(page.try_map(|row| Ok::<_, Problem>(convert::provider_key(row)))?, paging)
}
