use axum::extract::State;
use runs::preflight::Choice;
use wire::api::run::{CreateRun, Run};

use super::accept::{Asked, start};
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for CreateRun {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/version", self.version.as_deref(), 256);
        violations
    }
}

/// Runs an agent.
#[utoipa::path(
    post,
    path = "/api/runs",
    operation_id = "createRun",
    tag = "Runs",
    description = "Starts a run of an installed agent. With `Appstrate-User` it acts for that end-user and sees its connections, state and memories only.",
    request_body = CreateRun,
    responses((status = 201, description = "The run, which is accepted.", body = Run), (status = 422, description = "The run cannot start; `errors` lists everything that is missing."))
)]
pub(super) async fn create_run(can: Can<perm::AgentsRun>, State(app): State<App>, Json(body): Json<CreateRun>) -> Result<Answer, Problem> {
    let choice = Choice::Installed { package: body.agent_id, version: body.version };
    start(&can, &app, Asked { choice, input: body.input, model: body.model_id, proxy: body.proxy_id }).await
}
