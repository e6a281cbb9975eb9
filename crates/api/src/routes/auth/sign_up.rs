use auth::mail::Letter;
use auth::sign_up::{Registered, SignUp};
use axum::extract::State;
use serde_json::json;
use store::{Audit, AuditFacts, WriteContext};
use wire::api::session::{self, PendingSignUp, SignUpObject, SignUpResult};

use super::open;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for session::SignUp {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/name", &self.name, 1..=200);
        rules::email(&mut violations, "/email", &self.email);
        rules::new_password(&mut violations, "/password", &self.password);
        violations
    }
}

/// Signs a new user up and in.
#[utoipa::path(
    post,
    path = "/api/auth/sign-up/email",
    operation_id = "signUp",
    tag = "Authentication",
    description = "Creates a user with e-mail and password and opens a session; the answer sets its cookie. A server that sends mail opens no session: it mails a link that proves the address, and answers the same for an address that has an account already.",
    request_body = session::SignUp,
    responses((status = 201, description = "The session, or that a mail is on its way.", body = SignUpResult))
)]
pub(super) async fn sign_up(can: Can<perm::Public>, State(app): State<App>, Json(body): Json<session::SignUp>) -> Result<Answer, Problem> {
    let account = SignUp { name: body.name, email: body.email, password: body.password };
    if app.mailer.is_some() {
        return register(&app, can.facts(), account).await;
    }
    let new = auth::sign_up::prepare(&app.passwords, account).await?;
    // One write: an account without its session would be one that nobody has heard of, and an address that is taken.
    let write = open::begin(&app, can.facts(), None).await?;
    let user = auth::sign_up::create(&write, new).await?;
    let id = user.id;
    let (session, cookie) = open::open(&app, can.facts(), &write, user).await?;
    write.audit(Audit { subject: Some(id.to_string()), detail: json!({ "session": session.id }) });
    Ok(Answer::done(write, 201, &SignUpResult::Session(session)).await?.with_cookie(cookie))
}

/// The sign-up that is finished by a link in a mail.
async fn register(app: &App, facts: &AuditFacts, account: SignUp) -> Result<Answer, Problem> {
    let (letters, place) = (app.letters()?, app.place_after_answer()?);
    let new = auth::sign_up::prepare(&app.passwords, account).await?;
    let email = new.email.clone();
    let registered = auth::sign_up::register(&app.store, new, WriteContext::of(facts.clone())).await?;
    let letter = match registered {
        Registered::New(_) => Letter::VerifyEmail,
        Registered::Known(_) => Letter::AccountExists,
    };
    let to = email.clone();
    place.fill(async move { letters.send(letter, &to).await });
    let pending = PendingSignUp { object: SignUpObject::SignUp, email, requires_verification: true };
    Answer::committed(201, &SignUpResult::Pending(pending))
}
