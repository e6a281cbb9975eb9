use axum::extract::State;
use store::SessionLogin;
use wire::api::list::List;
use wire::api::organization::Organization;

use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists the caller's organizations.
#[utoipa::path(
    get,
    path = "/api/orgs",
    operation_id = "listOrganizations",
    tag = "Organizations",
    description = "The organizations that the signed-in user is a member of, with the user's role in each.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of organizations.", body = List<Organization>))
)]
pub(super) async fn list_organizations(can: Can<perm::SignedIn>, State(app): State<App>, paging: Paging) -> Result<Answer, Problem> {
    page_of(&app, &can.login, paging).await
}

/// A page of the organizations of the session's user.
pub(crate) async fn page_of(app: &App, login: &SessionLogin, paging: Paging) -> Result<Answer, Problem> {
    let page = app.store.system().organizations_of(login, paging.into()).await?;
    Answer::list(page.try_map(|(organization, role)| Ok::<_, Problem>(convert::organization(organization, role)))?, paging)
}
