use wire::api::list::List;
use wire::api::memory::Memory;

use crate::answer::Answer;
use crate::convert;
use crate::extract::{AgentPath, Can, Paging, perm};
use crate::problem::Problem;

/// Lists the memories of an agent.
#[utoipa::path(
    get,
    path = "/api/agents/{scope}/{name}/memories",
    operation_id = "listMemories",
    tag = "Agents",
    description = "What runs of the agent have remembered, newest first. A call as an end-user sees its own only.",
    params(
        ("scope" = String, Path, description = "The agent's scope, with its `@`.", example = "@acme"),
        ("name" = String, Path, description = "The agent's name.", example = "refund-triage"),
        crate::openapi::PagingParameters
    ),
    responses((status = 200, description = "A page of memories.", body = List<Memory>))
)]
pub(super) async fn list_memories(can: Can<perm::MemoriesRead>, AgentPath(agent): AgentPath, paging: Paging) -> Result<Answer, Problem> {
    let page = can.read().await?.memories().list(&agent, paging.into()).await?;
    let page = page.try_map(|row| Ok::<_, Problem>(convert::memory(row)))?;
    Answer::list(page, paging)
}
