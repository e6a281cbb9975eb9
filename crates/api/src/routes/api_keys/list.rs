use wire::api::api_key::ApiKey;
use wire::api::list::List;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists API keys.
#[utoipa::path(
    get,
    path = "/api/api-keys",
    operation_id = "listApiKeys",
    tag = "API keys",
    description = "The keys of the application, newest first, revoked ones too. Never their secrets.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of keys.", body = List<ApiKey>))
)]
pub(super) async fn list_api_keys(can: Can<perm::ApiKeysRead>, paging: Paging) -> Result<Answer, Problem> {
    let page = can.read().await?.api_keys().list(paging.into()).await?;
    let page = page.try_map(|row| Ok::<_, Problem>(convert::api_key(can.scope.app(), row)))?;
    Answer::list(page, paging)
}
