use domain::OrgId;
use wire::api::list::List;
use wire::api::member::Member;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, Paging, perm};
use crate::problem::Problem;
use crate::routes::orgs::own;

/// Lists members.
#[utoipa::path(
    get,
    path = "/api/orgs/{id}/members",
    operation_id = "listMembers",
    tag = "Members",
    description = "The members of the organization with their roles, newest first.",
    params(("id" = OrgId, Path, description = "The organization."), crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of members.", body = List<Member>))
)]
pub(super) async fn list_members(can: Can<perm::MembersRead>, IdPath(id): IdPath<OrgId>, paging: Paging) -> Result<Answer, Problem> {
    own(&can, id)?;
    let page = can.read_org().await?.members().list(paging.into()).await?;
    Answer::list(page.try_map(|member| Ok::<_, Problem>(convert::member(member)))?, paging)
}
