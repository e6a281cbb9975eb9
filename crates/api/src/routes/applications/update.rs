use domain::AppId;
use serde_json::json;
use store::{ApplicationChange, Audit};
use wire::api::application::{Application, UpdateApplication};

use super::settings::{self, kept};
use super::within_reach;
use crate::answer::Answer;
use crate::extract::{Can, IdPath, Json, perm};
use crate::problem::{Problem, Violation};
use crate::{convert, rules};

impl rules::Checked for UpdateApplication {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/name", self.name.as_deref(), 100);
        if let Some(settings) = &self.settings {
            settings::check(&mut violations, settings);
        }
        violations
    }
}

/// Changes an application.
#[utoipa::path(
    patch,
    path = "/api/applications/{id}",
    operation_id = "updateApplication",
    tag = "Applications",
    description = "Missing members stay; settings are replaced whole.",
    params(("id" = AppId, Path, description = "The application.")),
    request_body = UpdateApplication,
    responses((status = 200, description = "The application after the change.", body = Application))
)]
pub(super) async fn update_application(
    can: Can<perm::ApplicationsWrite>,
    IdPath(id): IdPath<AppId>,
    Json(body): Json<UpdateApplication>,
) -> Result<Answer, Problem> {
    within_reach(&can, id)?;
    let settings = body.settings.map(kept);
    let detail = json!({ "name": body.name, "settings": settings });
    let write = can.write_org().await?;
    let change = ApplicationChange { name: body.name, settings };
    let application = write.applications().update(id, change).await?.ok_or_else(Problem::not_found)?;
    write.audit(Audit { subject: Some(id.to_string()), detail });
    Answer::done(write, 200, &convert::application(application)).await
}
