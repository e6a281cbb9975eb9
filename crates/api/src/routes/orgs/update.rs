use domain::{Code, OrgId};
use serde_json::json;
use store::{Audit, OrganizationChange, constraint};
use wire::api::organization::{Organization, UpdateOrganization};

use super::create::{SLUG_RULE, is_free_slug};
use super::own;
use crate::answer::Answer;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::{convert, rules};

impl rules::Checked for UpdateOrganization {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/name", self.name.as_deref(), 100);
        if self.slug.as_ref().is_some_and(|slug| !is_free_slug(slug)) {
            violations.push(Violation::new("/slug", "invalid_format", SLUG_RULE));
        }
        violations
    }
}

/// Changes an organization.
#[utoipa::path(
    patch,
    path = "/api/orgs/{id}",
    operation_id = "updateOrganization",
    tag = "Organizations",
    description = "Missing members stay. Packages that were published under an earlier slug keep their names.",
    params(("id" = OrgId, Path, description = "The organization.")),
    request_body = UpdateOrganization,
    responses((status = 200, description = "The organization after the change.", body = Organization), (status = 409, description = "The slug is taken."))
)]
pub(super) async fn update_organization(
    can: Can<perm::OrgUpdate>,
    IdPath(id): IdPath<OrgId>,
    Json(body): Json<UpdateOrganization>,
) -> Result<Answer, Problem> {
    own(&can, id)?;
    let detail = json!({ "name": body.name, "slug": body.slug });
    let change = OrganizationChange { name: body.name, slug: body.slug, settings: None };
    let write = can.write_org().await?;
    let changed = write.organization().update(change).await.map_err(|error| {
        if error.is_conflict(constraint::ORGANIZATION_SLUG) {
            Problem::new(Code::SlugTaken, "Another organization has this slug.").param("slug")
        } else {
            error.into()
        }
    })?;
    let organization = changed.ok_or_else(Problem::not_found)?;
    write.audit(Audit { subject: Some(id.to_string()), detail });
    let role = can.role;
    Answer::done(write, 200, &convert::organization(organization, role)).await
}
