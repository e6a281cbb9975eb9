use domain::AppId;
use wire::api::application::Application;

use super::within_reach;
use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Reads an application.
#[utoipa::path(
    get,
    path = "/api/applications/{id}",
    operation_id = "getApplication",
    tag = "Applications",
    description = "An application of the organization. An API key finds its own application only.",
    params(("id" = AppId, Path, description = "The application.")),
    responses((status = 200, description = "The application.", body = Application))
)]
pub(super) async fn get_application(can: Can<perm::ApplicationsRead>, IdPath(id): IdPath<AppId>) -> Result<Answer, Problem> {
    within_reach(&can, id)?;
    let application = can.read_org().await?.applications().get(id).await?.ok_or_else(Problem::not_found)?;
    Answer::object(&convert::application(application))
}
