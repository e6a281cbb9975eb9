use axum::extract::State;
use runs::preflight::Choice;
use wire::api::run::{Run, RunAgent};

use crate::answer::Answer;
use crate::app::App;
use crate::extract::{AgentPath, Can, OptionalJson, perm};
use crate::problem::{Problem, Violation};
use crate::routes::runs::accept::{Asked, start};
use crate::rules;

impl rules::Checked for RunAgent {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/version", self.version.as_deref(), 256);
        violations
    }
}

/// Runs an agent.
#[utoipa::path(
    post,
    path = "/api/agents/{scope}/{name}/run",
    operation_id = "runAgent",
    tag = "Agents",
    description = "Starts a run of an installed agent; the body may be left out. With `Appstrate-User` the run acts for that end-user.",
    params(
        ("scope" = String, Path, description = "The agent's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The agent's name.", example = "refund-triage")
    ),
    request_body = Option<RunAgent>,
    responses((status = 201, description = "The run, which is accepted.", body = Run), (status = 422, description = "The run cannot start; `errors` lists everything that is missing."))
)]
pub(super) async fn run_agent(
    can: Can<perm::AgentsRun>,
    State(app): State<App>,
    AgentPath(package): AgentPath,
    OptionalJson(body): OptionalJson<RunAgent>,
) -> Result<Answer, Problem> {
    let choice = Choice::Installed { package, version: body.version };
    start(&can, &app, Asked { choice, input: body.input, model: body.model_id, proxy: body.proxy_id }).await
}
