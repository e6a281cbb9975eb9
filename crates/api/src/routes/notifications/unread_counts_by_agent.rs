use wire::api::notification::{UnreadCounts, UnreadCountsObject};

use crate::answer::Answer;
use crate::extract::{Can, perm};
use crate::problem::Problem;

/// Counts unread runs by agent.
#[utoipa::path(
    get,
    path = "/api/notifications/unread-counts-by-agent",
    operation_id = "getUnreadCountsByAgent",
    tag = "Notifications",
    description = "The runs of `GET /api/notifications/unread-count` for each agent that has some. All together at most 10,000 are counted.",
    responses((status = 200, description = "The counts.", body = UnreadCounts))
)]
pub(super) async fn get_unread_counts_by_agent(can: Can<perm::NotificationsRead>) -> Result<Answer, Problem> {
    let unread = can.read().await?.notifications().unread().await?;
    let counts = unread.into_iter().filter_map(|unread| Some((unread.agent?, unread.count))).collect();
    Answer::object(&UnreadCounts { object: UnreadCountsObject::UnreadCounts, counts })
}
