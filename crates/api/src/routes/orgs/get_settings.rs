use domain::OrgId;
use wire::api::organization::OrganizationSettings;

use super::{own, settings_of};
use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Reads the settings of an organization.
#[utoipa::path(
    get,
    path = "/api/orgs/{id}/settings",
    operation_id = "getOrganizationSettings",
    tag = "Organizations",
    description = "The settings of the organization: the API version that requests without a header speak.",
    params(("id" = OrgId, Path, description = "The organization.")),
    responses((status = 200, description = "The settings.", body = OrganizationSettings))
)]
pub(super) async fn get_organization_settings(can: Can<perm::OrgRead>, IdPath(id): IdPath<OrgId>) -> Result<Answer, Problem> {
    own(&can, id)?;
    let organization = can.read_org().await?.organization().get().await?.ok_or_else(Problem::not_found)?;
    Answer::object(&settings_of(&organization))
}
