use auth::AuthError;
use auth::sign_in::{Credentials, verify};
use axum::extract::State;
use store::Audit;
use wire::api::session;

use super::open;
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
    description = "Checks e-mail and password and opens a session; the answer sets its cookie. An unknown e-mail and a wrong password get the same answer, and both make the next attempts slower. On a server that sends mail the address must have been proven.",
    request_body = session::SignIn,
    responses(
        (status = 200, description = "The session.", body = session::Session),
        (status = 401, description = "E-mail and password do not belong together."),
        (status = 403, description = "The password is right, and the address was never proven."),
        (status = 429, description = "Too many attempts at this account or from this address.")
    )
)]
pub(super) async fn sign_in(can: Can<perm::Public>, State(app): State<App>, Json(body): Json<session::SignIn>) -> Result<Answer, Problem> {
    let facts = can.facts();
    let credentials = Credentials { email: body.email, password: body.password, ip: facts.ip.clone() };
    let verified = match verify(&app.store, &app.passwords, credentials).await {
        Ok(verified) => verified,
        Err(error) => return Err(open::refuse(&app, facts, error).await),
    };
    let write = open::begin(&app, facts, Some(verified.user.id)).await?;
    verified.guess.was_right(&write).await?;
    if app.mailer.is_some() && !verified.user.email_verified {
        write.audit(Audit { subject: Some(verified.user.id.to_string()), ..Audit::default() });
        let problem = Problem::from(AuthError::EmailNotVerified { account: verified.user.id });
        write.commit_refused(problem.code).await?;
        return Err(problem);
    }
    let (session, cookie) = open::open(&app, facts, &write, verified.user).await?;
    Ok(Answer::done(write, 200, &session).await?.with_cookie(cookie))
}
