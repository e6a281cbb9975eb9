use auth::mail::Letter;
use axum::extract::State;
use store::AuditFacts;
use wire::api::account::{MailRequestObject, MailRequested, RequestMail};

use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for RequestMail {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::email(&mut violations, "/email", &self.email);
        violations
    }
}

/// Mails a link to a new password.
#[utoipa::path(
    post,
    path = "/api/auth/forgot-password",
    operation_id = "forgotPassword",
    tag = "Authentication",
    description = "Mails the account of this address a link with which a new password can be chosen, once and within an hour. The answer is the same, and takes as long, when there is no such account.",
    request_body = RequestMail,
    responses(
        (status = 202, description = "Heard.", body = MailRequested),
        (status = 404, description = "This server sends no mail.")
    )
)]
pub(super) async fn forgot_password(
    can: Can<perm::Public>,
    State(app): State<App>,
    Json(body): Json<RequestMail>,
) -> Result<Answer, Problem> {
    request(&app, can.facts(), (Letter::ResetPassword, body.email)).await
}

/// Sends the letter after the answer, which says nothing about the account; nor does the audit row.
pub(super) async fn request(app: &App, facts: &AuditFacts, (letter, email): (Letter, String)) -> Result<Answer, Problem> {
    let (letters, place) = (app.letters()?, app.place_after_answer()?);
    app.store.system().append_unscoped_audit(facts, 202).await?;
    place.fill(async move { letters.send(letter, &email).await });
    let message = "If the address has an account that needs it, a mail is on its way.".to_owned();
    Answer::committed(202, &MailRequested { object: MailRequestObject::MailRequest, message })
}
