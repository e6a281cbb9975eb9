use axum::extract::State;
use domain::OrgId;
use wire::api::invitation::Invitation;
use wire::api::list::List;

use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, IdPath, Paging, perm};
use crate::problem::Problem;
use crate::routes::orgs::own;

/// Lists invitations.
#[utoipa::path(
    get,
    path = "/api/orgs/{id}/invitations",
    operation_id = "listInvitations",
    tag = "Invitations",
    description = "The open invitations of the organization, newest first, expired ones too. Never their links.",
    params(("id" = OrgId, Path, description = "The organization."), crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of invitations.", body = List<Invitation>))
)]
pub(super) async fn list_invitations(
    can: Can<perm::MembersRead>,
    State(app): State<App>,
    IdPath(id): IdPath<OrgId>,
    paging: Paging,
) -> Result<Answer, Problem> {
    own(&can, id)?;
    let now = app.now();
    let page = can.read_org().await?.invitations().list(paging.into()).await?;
    Answer::list(page.try_map(|row| Ok::<_, Problem>(convert::invitation(row, now)))?, paging)
}
