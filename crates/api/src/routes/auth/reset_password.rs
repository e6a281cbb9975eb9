use auth::mail::Letter;
use auth::recovery;
use axum::extract::State;
use store::{Audit, WriteContext};
use wire::api::account::ResetPassword;

use super::open;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for ResetPassword {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/token", self.token.expose(), 1..=256);
        rules::new_password(&mut violations, "/newPassword", &self.new_password);
        violations
    }
}

/// Sets a new password by a mailed link.
#[utoipa::path(
    post,
    path = "/api/auth/reset-password",
    operation_id = "resetPassword",
    tag = "Authentication",
    description = "Sets the password of the account that the link was mailed to, ends all its sessions and counts its address as proven. A link works once.",
    request_body = ResetPassword,
    responses(
        (status = 204, description = "The password is set; sign in with it."),
        (status = 400, description = "The token is unknown, used or expired.")
    )
)]
pub(super) async fn reset_password(
    can: Can<perm::Public>,
    State(app): State<App>,
    Json(body): Json<ResetPassword>,
) -> Result<Answer, Problem> {
    let hash = recovery::prepare_reset(&app.store, &app.passwords, &body.token, body.new_password).await?;
    let write = app.store.system().write(WriteContext::of(can.facts().clone())).await?;
    let user = recovery::reset(&write, &body.token, &hash).await?;
    write.audit(Audit { subject: Some(user.id.to_string()), ..Audit::default() });
    let answer = Answer::deleted(write).await?;
    open::tell(&app, Letter::PasswordChanged, &user.email);
    Ok(answer)
}
