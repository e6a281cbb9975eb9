use axum::extract::State;
use store::Page;
use wire::api::account::{Me, MeObject};

use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// As many organizations as a page of their list has at most.
const FIRST: Page = Page { page: 1, size: 100 };

/// Reads the signed-in user.
#[utoipa::path(
    get,
    path = "/api/me",
    operation_id = "getMe",
    tag = "Account",
    description = "The signed-in user and the user's 100 newest organizations, newest first, with the role in each. `GET /api/me/orgs` pages through all of them.",
    responses((status = 200, description = "The user.", body = Me))
)]
pub(super) async fn get_me(can: Can<perm::SignedIn>, State(app): State<App>) -> Result<Answer, Problem> {
    let organizations = app.store.system().organizations_of(&can.login, FIRST).await?.items.into_iter();
    Answer::object(&Me {
        object: MeObject::Me,
        user: convert::user(can.login.user.clone()),
        language: can.login.user.language,
        organizations: organizations.map(|(organization, role)| convert::organization(organization, role)).collect(),
    })
}
