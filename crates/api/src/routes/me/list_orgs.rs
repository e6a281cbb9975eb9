use axum::extract::State;
use wire::api::list::List;
use wire::api::organization::Organization;

use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;
use crate::routes::orgs;

/// Lists the signed-in user's organizations.
#[utoipa::path(
    get,
    path = "/api/me/orgs",
    operation_id = "listMyOrganizations",
    tag = "Account",
    description = "The organizations that the signed-in user is a member of, with the user's role in each: the same list as `/api/orgs`.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of organizations.", body = List<Organization>))
)]
pub(super) async fn list_my_organizations(can: Can<perm::SignedIn>, State(app): State<App>, paging: Paging) -> Result<Answer, Problem> {
    orgs::page_of(&app, &can.login, paging).await
}
