use domain::RunId;
use wire::api::notification::{NotificationRead, NotificationReadObject};

use crate::answer::Answer;
use crate::extract::{Can, IdPath, perm};
use crate::problem::Problem;

/// Marks a run as read.
#[utoipa::path(
    put,
    path = "/api/notifications/read/{id}",
    operation_id = "readNotification",
    tag = "Notifications",
    description = "`ok` is false where nothing changes: the run was read, has not ended, or notifies somebody else (a member does not read for an \
                   end-user).",
    params(("id" = RunId, Path, description = "The run.")),
    responses((status = 200, description = "What was marked.", body = NotificationRead))
)]
pub(super) async fn read_notification(can: Can<perm::NotificationsWrite>, IdPath(id): IdPath<RunId>) -> Result<Answer, Problem> {
    let write = can.write().await?;
    if write.runs().outlines(&[id]).await?.is_empty() {
        return Err(Problem::not_found());
    }
    let ok = write.notifications().mark(id).await?;
    Answer::done(write, 200, &NotificationRead { object: NotificationReadObject::NotificationRead, ok }).await
}
