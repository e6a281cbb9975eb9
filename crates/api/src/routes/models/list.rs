use wire::api::list::List;
use wire::api::model::Model;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists models.
#[utoipa::path(
    get,
    path = "/api/models",
    operation_id = "listModels",
    tag = "Models",
    description = "The models of the organization, newest first.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of models.", body = List<Model>))
)]
pub(super) async fn list_models(can: Can<perm::ModelsRead>, paging: Paging) -> Result<Answer, Problem> {
    let page = can.read_org().await?.models().list(paging.into()).await?;
    Answer::list(page.try_map(|row| Ok::<_, Problem>(convert::model(row)))?, paging)
}
