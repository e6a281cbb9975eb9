use auth::mail::Letter;
use axum::extract::State;
use wire::api::account::{MailRequested, RequestMail};

use super::forgot_password::request;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::Problem;

/// Mails a link that proves an address.
#[utoipa::path(
    post,
    path = "/api/auth/send-verification-email",
    operation_id = "sendVerificationEmail",
    tag = "Authentication",
    description = "Mails the account of this address a link that proves the address, once and within a day. The answer is the same, and takes as long, when there is no such account or nothing to prove.",
    request_body = RequestMail,
    responses(
        (status = 202, description = "Heard.", body = MailRequested),
        (status = 404, description = "This server sends no mail.")
    )
)]
pub(super) async fn send_verification_email(
    can: Can<perm::Public>,
    State(app): State<App>,
    Json(body): Json<RequestMail>,
) -> Result<Answer, Problem> {
    request(&app, can.facts(), (Letter::VerifyEmail, body.email)).await
}
