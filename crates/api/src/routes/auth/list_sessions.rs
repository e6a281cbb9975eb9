use axum::extract::State;
use store::Paged;
use wire::api::list::List;
use wire::api::session::ListedSession;

use crate::answer::Answer;
use crate::app::App;
use crate::convert;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists the caller's sessions.
#[utoipa::path(
    get,
    path = "/api/auth/sessions",
    operation_id = "listSessions",
    tag = "Authentication",
    description = "Where the signed-in user is signed in, newest first. `current` marks the session of this request.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of sessions.", body = List<ListedSession>))
)]
pub(super) async fn list_sessions(can: Can<perm::SignedIn>, State(app): State<App>, paging: Paging) -> Result<Answer, Problem> {
    let Paged { items, total } = app.store.system().sessions_of(&can.login, paging.into()).await?;
    let items = items.into_iter().map(|session| convert::listed_session(session, can.login.session.id)).collect();
    Answer::list(Paged { items, total }, paging)
}
