use auth::recovery;
use axum::extract::State;
use store::{Audit, WriteContext};
use wire::api::account::VerifyEmail;

use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for VerifyEmail {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/token", self.token.expose(), 1..=256);
        violations
    }
}

/// Proves an address by a mailed link.
#[utoipa::path(
    post,
    path = "/api/auth/verify-email",
    operation_id = "verifyEmail",
    tag = "Authentication",
    description = "Counts the address that the link was mailed to as proven; its user can sign in from then on. A link works once.",
    request_body = VerifyEmail,
    responses(
        (status = 204, description = "The address is proven."),
        (status = 400, description = "The token is unknown, used or expired.")
    )
)]
pub(super) async fn verify_email(can: Can<perm::Public>, State(app): State<App>, Json(body): Json<VerifyEmail>) -> Result<Answer, Problem> {
    let write = app.store.system().write(WriteContext::of(can.facts().clone())).await?;
    let user = recovery::verify_email(&write, &body.token).await?;
    write.audit(Audit { subject: Some(user.to_string()), ..Audit::default() });
    Answer::deleted(write).await
}
