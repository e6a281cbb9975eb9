use domain::Code;
use serde_json::json;
use store::{Audit, NewApplication};
use wire::api::application::{Application, CreateApplication};

use super::settings::{self, kept};
use crate::answer::Answer;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::{convert, rules};

impl rules::Checked for CreateApplication {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/name", &self.name, 1..=100);
        settings::check(&mut violations, &self.settings);
        violations
    }
}

/// Creates an application.
#[utoipa::path(
    post,
    path = "/api/applications",
    operation_id = "createApplication",
    tag = "Applications",
    description = "Creates an application of the organization, without agents. For signed-in members: an API key belongs to one application and makes no others.",
    security(("session" = [])),
    request_body = CreateApplication,
    responses((status = 201, description = "The application.", body = Application))
)]
pub(super) async fn create_application(can: Can<perm::ApplicationsWrite>, Json(body): Json<CreateApplication>) -> Result<Answer, Problem> {
    if can.session.is_none() {
        return Err(Problem::new(Code::Forbidden, "API keys cannot create applications; sign in."));
    }
    let detail = json!({ "name": body.name });
    let new = NewApplication { name: body.name, settings: kept(body.settings), created_by: can.user };
    let write = can.write_org().await?;
    let application = write.create_application(new).await?;
    write.audit(Audit { subject: Some(application.id.to_string()), detail });
    let location = format!("/api/applications/{}", application.id);
    Answer::created(write, &convert::application(application), location).await
}
