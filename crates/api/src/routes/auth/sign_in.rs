use axum::extract::State;
use wire::api::session;

use super::sign_up::open;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for session::SignIn {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/email", &self.email, 1..=320);
        rules::length(&mut violations, "/password", self.password.expose(), 1..=256);
        violations
    }
}

/// Signs a user in.
#[utoipa::path(
    post,
    path = "/api/auth/sign-in/email",
    operation_id = "signIn",
    tag = "Authentication",
    description = "Checks e-mail and password and opens a session; the answer sets its cookie. An unknown e-mail and a wrong password get the same answer.",
    request_body = session::SignIn,
    responses((status = 200, description = "The session.", body = session::Session), (status = 401, description = "E-mail and password do not belong together."))
)]
pub(super) async fn sign_in(can: Can<perm::Public>, State(app): State<App>, Json(body): Json<session::SignIn>) -> Result<Answer, Problem> {
    let user = auth::sign_in::verify(&app.store, &app.passwords, &body.email, body.password).await?;
    open(&can, &app, user, 200).await
}
