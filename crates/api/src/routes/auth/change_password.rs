use auth::mail::Letter;
use auth::recovery::{self, Wish};
use axum::extract::State;
use store::Audit;
use wire::api::account::ChangePassword;

use super::open;
use crate::answer::Answer;
use crate::app::App;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for ChangePassword {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::length(&mut violations, "/currentPassword", self.current_password.expose(), 1..=256);
        rules::new_password(&mut violations, "/newPassword", &self.new_password);
        violations
    }
}

/// Changes the caller's password.
#[utoipa::path(
    post,
    path = "/api/auth/change-password",
    operation_id = "changePassword",
    tag = "Authentication",
    description = "Replaces the password of the signed-in user, who gives the current one. Wrong guesses count as at sign-in. Links to a new password that were mailed before are void.",
    request_body = ChangePassword,
    responses(
        (status = 204, description = "The password is changed."),
        (status = 401, description = "The current password is wrong, or there is none."),
        (status = 429, description = "Too many attempts at this account or from this address.")
    )
)]
pub(super) async fn change_password(
    can: Can<perm::SignedIn>,
    State(app): State<App>,
    Json(body): Json<ChangePassword>,
) -> Result<Answer, Problem> {
    let (user, facts) = (&can.login.user, can.facts());
    let wish = Wish { current: body.current_password, new: body.new_password, ip: facts.ip.clone() };
    let change = match recovery::check(&app.store, &app.passwords, user, wish).await {
        Ok(change) => change,
        Err(error) => return Err(open::refuse(&app, facts, error).await),
    };
    let write = can.write_as_platform().await?;
    recovery::change(&write, user, &change).await?;
    if body.revoke_other_sessions {
        write.sessions().delete_of_user(user.id, Some(can.login.session.id)).await?;
    }
    write.audit(Audit { subject: Some(user.id.to_string()), ..Audit::default() });
    let answer = Answer::deleted(write).await?;
    open::tell(&app, Letter::PasswordChanged, &user.email);
    Ok(answer)
}
