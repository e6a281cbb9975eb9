use domain::ConnectionId;

use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Disconnects a provider.
#[utoipa::path(
    delete,
    path = "/api/connections/{id}",
    operation_id = "disconnect",
    tag = "Connections",
    description = "Deletes the credentials. Runs that have begun keep what they were handed.",
    params(("id" = ConnectionId, Path, description = "The connection.")),
    responses((status = 204, description = "The connection is gone."))
)]
pub(super) async fn disconnect(can: Can<perm::ConnectionsDisconnect>, IdPath(id): IdPath<ConnectionId>) -> Result<Answer, Problem> {
    let write = can.write().await?;
    if !write.connections().delete(id).await? {
        return Err(Problem::not_found());
    }
    Answer::deleted(write).await
}
