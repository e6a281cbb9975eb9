use auth::sign_in::{Origin, SESSION_SECONDS};
use auth::sign_up::SignUp;
use axum::extract::State;
use store::WriteContext;
use wire::api::session;

use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::{convert, cookie, rules};

impl rules::Checked for session::SignUp {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/name", &self.name, 1..=200);
        rules::email(&mut violations, "/email", &self.email);
        rules::length(&mut violations, "/password", self.password.expose(), 8..=256);
        violations
    }
}

/// Signs a new user up and in.
#[utoipa::path(
    post,
    path = "/api/auth/sign-up/email",
    operation_id = "signUp",
    tag = "Authentication",
    description = "Creates a user with e-mail and password and opens a session; the answer sets its cookie.",
    request_body = session::SignUp,
    responses((status = 201, description = "The session.", body = session::Session))
)]
pub(super) async fn sign_up(can: Can<perm::Public>, State(app): State<App>, Json(body): Json<session::SignUp>) -> Result<Answer, Problem> {
    let account = SignUp { name: body.name, email: body.email, password: body.password };
    let user = auth::sign_up::sign_up(&app.store, &app.passwords, account, WriteContext::internal()).await?;
    open(&can, &app, user, 201).await
}

/// Opens a session for the user and answers with it and its cookie.
pub(super) async fn open(can: &Can<perm::Public>, app: &App, user: store::User, status: u16) -> Result<Answer, Problem> {
    let facts = can.facts();
    let origin = Origin { ip: facts.ip.clone(), user_agent: facts.user_agent.clone() };
    let opened = auth::sign_in::open(&app.store, user.id, origin, WriteContext::internal()).await?;
    let cookie = cookie::session(&app.options.app_url, &opened.token, SESSION_SECONDS);
    Ok(Answer::committed(status, &convert::session(&opened.session, user))?.with_cookie(cookie))
}
