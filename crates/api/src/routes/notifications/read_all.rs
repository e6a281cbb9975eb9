use wire::api::notification::{NotificationsRead, NotificationsReadObject};

use crate::answer::Answer;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// Marks every run as read.
#[utoipa::path(
    put,
    path = "/api/notifications/read-all",
    operation_id = "readAllNotifications",
    tag = "Notifications",
    description = "Marks the runs that `GET /api/notifications/unread-count` counts for the same caller. At most 10,000 at once; repeat it while \
                   `updated` is 10,000.",
    responses((status = 200, description = "How many were marked.", body = NotificationsRead))
)]
pub(super) async fn read_all_notifications(can: Can<perm::NotificationsWrite>) -> Result<Answer, Problem> {
    let write = can.write().await?;
    let updated = write.notifications().mark_all().await?;
    Answer::done(write, 200, &NotificationsRead { object: NotificationsReadObject::NotificationsRead, updated }).await
}
