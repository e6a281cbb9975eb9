use store::MOST_UNREAD;
use wire::api::notification::{UnreadCount, UnreadCountObject};

use crate::answer::Answer;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// Counts unread runs.
#[utoipa::path(
    get,
    path = "/api/notifications/unread-count",
    operation_id = "getUnreadCount",
    tag = "Notifications",
    description = "How many runs have ended and were not marked as read. A call as an end-user counts its own runs; a member those it has started and \
                   those of the application itself; a key without end-user all runs of the application.",
    responses((status = 200, description = "The count.", body = UnreadCount))
)]
pub(super) async fn get_unread_count(can: Can<perm::NotificationsRead>) -> Result<Answer, Problem> {
    let unread = can.read().await?.notifications().unread().await?;
    let count = unread.iter().map(|unread| unread.count).sum::<u64>().min(MOST_UNREAD);
    Answer::object(&UnreadCount { object: UnreadCountObject::UnreadCount, count })
}
