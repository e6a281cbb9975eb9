use store::ConnectionFilter;
use wire::api::connection::Connection;
use wire::api::list::List;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{Can, Paging, perm};
use crate::problem::Problem;

/// Lists connections.
#[utoipa::path(
    get,
    path = "/api/connections",
    operation_id = "listConnections",
    tag = "Connections",
    description = "The connections that the caller may use, newest first, never their credentials. A call as an end-user sees its own only.",
    params(crate::openapi::PagingParameters),
    responses((status = 200, description = "A page of connections.", body = List<Connection>))
)]
pub(super) async fn list_connections(can: Can<perm::ConnectionsRead>, paging: Paging) -> Result<Answer, Problem> {
    let page = can.read().await?.connections().list(&ConnectionFilter::default(), paging.into()).await?;
    Answer::list(page.try_map(|row| Ok::<_, Problem>(convert::connection(row)))?, paging)
}
