use domain::OrgId;
use serde_json::json;
use store::{Audit, OrganizationChange};
use wire::api::organization::{OrganizationSettings, UpdateOrganizationSettings};

use super::{own, settings_of};
use crate::answer::Answer;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;
use crate::versions::{RELEASES, Version};

impl rules::Checked for UpdateOrganizationSettings {
    fn check(&self) -> Vec<Violation> {
        match &self.api_version {
            Some(Some(date)) if Version::released(date).is_none() => {
                let known: Vec<_> = RELEASES.iter().map(|release| release.version.as_str()).collect();
                vec![Violation::new("/apiVersion", "invalid_value", format!("must be a released version: {}", known.join(", ")))]
            }
            _ => Vec::new(),
        }
    }
}

/// Changes the settings of an organization.
#[utoipa::path(
    patch,
    path = "/api/orgs/{id}/settings",
    operation_id = "updateOrganizationSettings",
    tag = "Organizations",
    description = "Missing members stay, `null` clears. `apiVersion` pins the version of requests that name none, from the next one on.",
    params(("id" = OrgId, Path, description = "The organization.")),
    request_body = UpdateOrganizationSettings,
    responses((status = 200, description = "The settings after the change.", body = OrganizationSettings))
)]
pub(super) async fn update_organization_settings(
    can: Can<perm::OrgUpdate>,
    IdPath(id): IdPath<OrgId>,
    Json(body): Json<UpdateOrganizationSettings>,
) -> Result<Answer, Problem> {
    own(&can, id)?;
    let write = can.write_org().await?;
    // Locked: the settings are written as a whole, so that of two who change one each, none may be forgotten.
    let mut organization = write.organization().get_to_change().await?.ok_or_else(Problem::not_found)?;
    if let Some(version) = &body.api_version {
        let mut settings = organization.settings;
        match version {
            None => _ = settings.remove("apiVersion"),
            Some(date) => _ = settings.insert("apiVersion".to_owned(), json!(date)),
        }
        let change = OrganizationChange { settings: Some(settings), ..OrganizationChange::default() };
        organization = write.organization().update(change).await?.ok_or_else(Problem::not_found)?;
    }
    let settings = settings_of(&organization);
    write.audit(Audit { subject: Some(id.to_string()), detail: json!({ "apiVersion": settings.api_version }) });
    Answer::done(write, 200, &settings).await
}
