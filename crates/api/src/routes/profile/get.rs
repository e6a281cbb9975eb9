use wire::api::account::Profile;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// Reads the caller's profile.
#[utoipa::path(
    get,
    path = "/api/profile",
    operation_id = "getProfile",
    tag = "Account",
    description = "How the signed-in user appears, and the language of the dashboard.",
    responses((status = 200, description = "The profile.", body = Profile))
)]
pub(super) async fn get_profile(can: Can<perm::SignedIn>) -> Result<Answer, Problem> {
    Answer::object(&convert::profile(can.login.user.clone()))
}
