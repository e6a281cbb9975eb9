use axum::extract::State;
use runs::preflight::Choice;
use wire::api::run::{CreateInlineRun, StartedRun};

use super::accept::{Asked, accept};
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for CreateInlineRun {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/prompt", &self.prompt, 1..=200_000);
        violations
    }
}

/// Runs an agent that exists for this run only.
#[utoipa::path(
    post,
    path = "/api/runs/inline",
    operation_id = "createInlineRun",
    tag = "Runs",
    description = "Starts a run of a manifest and a prompt that are sent along. Nothing is published.",
    request_body = CreateInlineRun,
    responses((status = 202, description = "The run is accepted.", body = StartedRun), (status = 422, description = "The run cannot start; `errors` lists everything that is wrong."))
)]
pub(super) async fn create_inline_run(
    can: Can<perm::AgentsRun>,
    State(app): State<App>,
    Json(body): Json<CreateInlineRun>,
) -> Result<Answer, Problem> {
    let choice =
        Choice::Inline { manifest: body.manifest, prompt: body.prompt, config: body.config.unwrap_or_default().into_iter().collect() };
    let (write, run) = accept(&can, &app, Asked { choice, input: body.input, model: body.model_id, proxy: body.proxy_id }).await?;
    Answer::done(write, 202, &StartedRun { run_id: run.id }).await
}
