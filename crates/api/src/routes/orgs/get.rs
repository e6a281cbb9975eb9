use domain::OrgId;
use wire::api::organization::Organization;

use super::own;
use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Reads an organization.
#[utoipa::path(
    get,
    path = "/api/orgs/{id}",
    operation_id = "getOrganization",
    tag = "Organizations",
    description = "The organization of the caller. Another one is not found, whether it exists or not.",
    params(("id" = OrgId, Path, description = "The organization.")),
    responses((status = 200, description = "The organization.", body = Organization))
)]
pub(super) async fn get_organization(can: Can<perm::Member>, IdPath(id): IdPath<OrgId>) -> Result<Answer, Problem> {
    own(&can, id)?;
    let organization = can.read_org().await?.organization().get().await?.ok_or_else(Problem::not_found)?;
    Answer::object(&convert::organization(organization, can.role))
}
