use store::{Audit, UserChange};
use wire::api::account::{SetUpProfile, Welcome, WelcomeObject};

use crate::answer::Answer;
use crate::extract::{Can, OptionalJson, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for SetUpProfile {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/displayName", self.display_name.as_deref(), 100);
        violations
    }
}

/// Completes a new user's profile.
#[utoipa::path(
    post,
    path = "/api/welcome/setup",
    operation_id = "setUpProfile",
    tag = "Account",
    description = "What the dashboard sends once, after an invitation was accepted: how the user wants to be called.",
    request_body = Option<SetUpProfile>,
    responses((status = 200, description = "Done.", body = Welcome))
)]
pub(super) async fn set_up_profile(can: Can<perm::SignedIn>, OptionalJson(body): OptionalJson<SetUpProfile>) -> Result<Answer, Problem> {
    let write = can.write_as_platform().await?;
    let change = UserChange { name: body.display_name, language: None };
    let user = write.users().update(can.login.user.id, change).await?.ok_or_else(Problem::not_found)?;
    write.audit(Audit { subject: Some(user.id.to_string()), ..Audit::default() });
    Answer::done(write, 200, &Welcome { object: WelcomeObject::Welcome, ok: true, display_name: user.name }).await
}
