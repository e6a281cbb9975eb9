use axum::extract::RawQuery;
use store::EndUserFilter;
use wire::api::end_user::EndUser;
use wire::api::list::List;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, Paging, paging, perm};
use crate::problem::Problem;

/// Lists end-users.
#[utoipa::path(
    get,
    path = "/api/end-users",
    operation_id = "listEndUsers",
    tag = "End-users",
    description = "The end-users of the application, newest first. A call as an end-user sees itself only.",
    params(
        crate::openapi::PagingParameters,
        ("externalId" = Option<String>, Query, description = "Only the end-user with this external id.", max_length = 255),
        ("email" = Option<String>, Query, description = "Only the end-user with this e-mail.", max_length = 320)
    ),
    responses((status = 200, description = "A page of end-users.", body = List<EndUser>))
)]
pub(super) async fn list_end_users(can: Can<perm::EndUsersRead>, paging: Paging, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let filter = EndUserFilter {
        external_id: paging::parameter(query.as_deref(), "externalId", 255)?,
        email: paging::parameter(query.as_deref(), "email", 320)?.map(|email| auth::sign_up::canonical_email(&email)),
    };
    let page = can.read().await?.end_users().list(&filter, paging.into()).await?;
    let page = page.try_map(|row| Ok::<_, Problem>(convert::end_user(can.scope.app(), row)))?;
    Answer::list(page, paging)
}
