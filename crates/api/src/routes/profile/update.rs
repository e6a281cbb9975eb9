use store::{Audit, UserChange};
use wire::api::account::{Profile, UpdateProfile};

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, Json, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

impl rules::Checked for UpdateProfile {
    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        rules::optional_length(&mut violations, "/displayName", self.display_name.as_deref(), 100);
        violations
    }
}

/// Changes the caller's profile.
#[utoipa::path(
    patch,
    path = "/api/profile",
    operation_id = "updateProfile",
    tag = "Account",
    description = "Changes the members that are given and leaves the others.",
    request_body = UpdateProfile,
    responses((status = 200, description = "The whole profile.", body = Profile))
)]
pub(super) async fn update_profile(can: Can<perm::SignedIn>, Json(body): Json<UpdateProfile>) -> Result<Answer, Problem> {
    let write = can.write_as_platform().await?;
    let change = UserChange { name: body.display_name, language: body.language };
    let user = write.users().update(can.login.user.id, change).await?.ok_or_else(Problem::not_found)?;
    write.audit(Audit { subject: Some(user.id.to_string()), ..Audit::default() });
    Answer::done(write, 200, &convert::profile(user)).await
}
