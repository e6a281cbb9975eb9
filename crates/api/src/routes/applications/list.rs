use store::Paged;
use wire::api::application::Application;
use wire::api::list::List;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists applications.
#[utoipa::path(
    get,
    path = "/api/applications",
    operation_id = "listApplications",
    tag = "Applications",
    description = "The applications of the organization. An API key sees its own application only.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of applications.", body = List<Application>))
)]
pub(super) async fn list_applications(can: Can<perm::Member>, paging: Paging) -> Result<Answer, Problem> {
    let read = can.read_org().await?;
    let page = match can.only_app {
        None => read.applications().list(paging.into()).await?,
        Some(only) => {
            let own: Vec<_> = read.applications().get(only).await?.into_iter().collect();
            let total = own.len() as u64;
            Paged { items: if paging.page == 1 { own } else { Vec::new() }, total }
        }
    };
    let page = page.try_map(|row| Ok::<_, Problem>(convert::application(row)))?;
    Answer::list(page, paging)
}
